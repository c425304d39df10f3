// What everybody can use: no barrier that a machine can find, no sideways scrolling, no mouse needed.
import assert from 'node:assert/strict';

import { journey } from '../lib/journey.mjs';
import { looks } from '../lib/looks.mjs';
import { naughty } from '../lib/strings.mjs';

const settings = ['limits.rate_burst=200'];
const widths = { wide: { width: 1440, height: 900 }, narrow: { width: 360, height: 740 } };
/** The longest ones, and those that lean out of their line. */
const unruly = [...naughty].sort((a, b) => b.length - a.length).slice(0, 8).concat(naughty.filter((text) => /\p{M}{5}/u.test(text)).slice(0, 4));

for (const [size, viewport] of Object.entries(widths)) {
  journey(`no barriers on a ${size} screen, light and dark`, { name: `layout-${size}`, settings }, async ({ somebody }) => {
    const ann = await somebody('Ann', { viewport, colorScheme: 'light', reducedMotion: 'reduce' });
    await ann.canBeRefused();
    await looks(ann, 'sign-in');
    await ann.at('to-register').click();
    await looks(ann, 'register');
    await ann.finishRegistering();
    await looks(ann, 'no rooms');
    assert.equal(await ann.at('start').filter({ visible: true }).getByRole('button').count(), 3, 'an empty place says what to do, on any screen');
    await ann.at('new').click();
    await looks(ann, 'menu');
    await ann.at('new-room').click();
    await looks(ann, 'new room');
    await ann.page.keyboard.press('Escape');
    await ann.createRoom('Harbour');
    await looks(ann, 'fresh room');
    for (const text of unruly) await ann.write(text);
    await ann.own('sent').nth(unruly.length - 1).waitFor();
    const ben = await somebody('Ben', { viewport, reducedMotion: 'reduce' });
    await ben.register();
    await ben.joinRoom('Harbour');
    await ben.write('A short answer, and a link: https://example.org/');
    await ann.sees('A short answer');
    await ann.refusedByServer('May I?');
    await ann.own('failed').waitFor();
    await looks(ann, 'room with a message that was refused');
    await looks(ben, 'room of others');
    await ben.askFor('new-message');
    await looks(ben, 'new message');
    await ben.page.keyboard.press('Escape');
    await ben.writeTo('Ann');
    await looks(ben, 'direct room');
    if (size === 'narrow') {
      await ann.at('people').click();
      await looks(ann, 'people over the room');
      await ann.page.keyboard.press('Escape');
      await ann.at('back').click();
      await looks(ann, 'list');
    }
  });
}

journey('without a mouse: come in, open a room, write and send', { name: 'keyboard', settings }, async ({ somebody }) => {
  const ann = await somebody('Ann');
  await ann.register();
  await ann.createRoom('Harbour');
  await ann.signOut();
  const { keyboard } = ann.page;
  await ann.page.reload();
  await ann.at('sign-in-form').waitFor();
  await keyboard.type('Ann');
  await keyboard.press('Tab');
  await keyboard.type(ann.password);
  await keyboard.press('Enter');
  await ann.page.locator('.row', { hasText: 'Harbour' }).waitFor();
  await keyboard.press('F6');
  await keyboard.press('Enter');
  await ann.inRoom('Harbour');
  await keyboard.type('Written without');
  await keyboard.press('Shift+Enter');
  await keyboard.type('a mouse.');
  await keyboard.press('Enter');
  await ann.own('sent').waitFor();
  assert.deepEqual(await ann.texts(), ['Written without\na mouse.']);
  await keyboard.press('Shift+F6');
  assert.equal(await ann.page.evaluate(() => document.activeElement?.className), 'log', 'back into the timeline');
  await keyboard.press('Escape');
  await keyboard.type('And on.');
  await keyboard.press('Enter');
  await ann.own('sent').nth(1).waitFor();
});
