// What people do to messages once they stand there: the other one sees it, offline words included.
import assert from 'node:assert/strict';

import { journey, until } from '../lib/journey.mjs';
import { looks } from '../lib/looks.mjs';

/** @typedef {import('../lib/person.mjs').Person} Person */

const heart = '\u2764\ufe0f';

journey('edits, deletions, reactions, answers and pins are seen by the other', { name: 'conversation' }, async ({ somebody }) => {
  const ann = await somebody('Ann');
  const ben = await somebody('Ben');
  await ann.register();
  await ben.register();
  await ann.createRoom('Harbour');
  await ben.joinRoom('Harbour');
  await ben.write('Is the ferry runing?\nSecond line');
  await ann.sees('Is the ferry runing?');

  await ben.change('runing', 'Is the ferry running?\nSecond line');
  await ann.sees('Is the ferry running?');
  await ann.sees('edited');

  await ann.react('ferry', heart);
  const chip = (/** @type {Person} */ who) => who.said('ferry').locator(`.reaction[data-emoji="${heart}"]`);
  await until('Ben sees it', async () => (await chip(ben).count()) === 1);
  assert.equal(await chip(ann).getAttribute('aria-pressed'), 'true');
  assert.equal(await chip(ben).getAttribute('aria-pressed'), 'false');
  await chip(ben).click();
  await until('both are counted', async () => (await chip(ann).getAttribute('data-count')) === '2');
  await chip(ann).click();
  await until('one is left', async () => (await chip(ben).getAttribute('data-count')) === '1');

  await ann.act('ferry', 'reply');
  await ann.write('Until ten.');
  const quote = ben.said('Until ten.').locator('.quote');
  await quote.waitFor();
  assert.equal(await quote.innerText(), 'In answer to\nYou\nIs the ferry running?', 'author and first line, no more');

  await ann.act('ferry', 'pin');
  await until('Ben sees the pin', async () => (await ben.at('pinned').count()) === 1);

  await ben.act('ferry', 'delete');
  await until('Ann sees that it is gone', async () => (await ann.page.locator('.log, .rooms').getByText('ferry').count()) === 0);
  assert.equal(await ann.said('Until ten.').locator('.quote').innerText(), 'Deleted message', 'the quote leaks nothing');
  await until('and it is not pinned any more', async () => (await ann.at('pinned').count()) === 0);

  await ann.composer.press('ArrowUp');
  await ann.at('editing').waitFor();
  assert.equal(await ann.composer.inputValue(), 'Until ten.', 'the arrow brings the last own words');
  await ann.composer.press('Escape');
  assert.equal(await ann.composer.inputValue(), '');
  assert.equal(await ann.at('editing').count(), 0);
});

for (const [size, viewport] of Object.entries({ wide: { width: 1440, height: 900 }, narrow: { width: 360, height: 740 } })) {
  journey(`no barriers in a conversation on a ${size} screen`, { name: `conversation-${size}` }, async ({ somebody }) => {
    const ann = await somebody('Ann', { viewport, reducedMotion: 'reduce' });
    const ben = await somebody('Ben', { viewport, reducedMotion: 'reduce' });
    await ann.register();
    await ben.register();
    await ann.createRoom('Harbour');
    await ben.joinRoom('Harbour');
    await ben.write('Is the ferry running?');
    await ann.sees('Is the ferry running?');
    await ann.act('ferry', 'reply');
    await ann.at('answering').waitFor();
    await ann.write('Until ten, @Ben. @room');
    await ann.react('ferry', heart);
    await ann.act('ferry', 'pin');
    await ann.write('Away with this');
    await ann.sees('Away with this');
    await until('it has been sent', async () => (await ann.own('sent').count()) === 2);
    await ann.act('Away with this', 'delete');
    await ben.said('Until ten').locator('.quote').waitFor();
    await ann.at('pinned').waitFor();
    await looks(ann, 'quote, reaction, pin, deleted line');
    await looks(ben, 'called on');
    await ann.openActs('Until ten');
    await looks(ann, 'menu of a message');
    await ann.page.keyboard.press('Escape');
    assert.equal(await ann.page.evaluate(() => document.activeElement?.getAttribute('data-testid')), 'act', 'the focus comes back to what opened it');
    await ann.composer.fill('');
    await ann.composer.pressSequentially('@b');
    await ann.page.getByRole('option').waitFor();
    await looks(ann, 'names to choose from');
    await ann.page.keyboard.press('Escape');
    await ann.composer.fill('');
    await ann.at('room-menu').click();
    await ann.at('edit-room').click();
    await looks(ann, 'name and topic');
  });
}

journey('edits and deletions made without a server converge once it is back', { name: 'conversation-offline', expected: ['away'] }, async ({ server, somebody }) => {
  const ann = await somebody('Ann');
  const ben = await somebody('Ben');
  await ann.register();
  await ben.register();
  await ann.createRoom('Harbour');
  await ben.joinRoom('Harbour');
  for (const text of ['one', 'two', 'three']) await ann.write(text);
  await ben.sees('three');
  await until('all are sent', async () => (await ann.own('sent').count()) === 3);
  await ann.canOpenOffline();
  await server.kill();
  await ann.away();

  await ann.change('one', 'one, changed');
  await ann.sees('one, changed');
  await ann.act('two', 'delete');
  await ann.react('three', heart);
  assert.deepEqual(await ann.texts(), ['one, changed', 'three'], 'shown at once');
  await ann.page.reload();
  await until('it still stands there after a reload', async () => (await ann.texts()).join() === 'one, changed,three');
  assert.deepEqual(await ben.texts(), ['one', 'two', 'three'], 'nobody else can know yet');

  await server.start();
  await ann.connected(40_000);
  await until('Ben sees all of it', async () => (await ben.texts()).join() === 'one, changed,three' && (await ben.said('three').locator('.reaction').count()) === 1, 40_000);
  await until('nothing waits any more', async () => (await ann.page.locator('[aria-label="Waiting on this device"]').count()) === 0);
  await ann.page.reload();
  await until('a fresh look shows the same', async () => (await ann.texts()).join() === 'one, changed,three');
});

journey('unread and mention badges agree on both devices of somebody', { name: 'mentions' }, async ({ somebody }) => {
  const ann = await somebody('Ann');
  const ben = await somebody('Ben');
  const cal = await somebody('Cal');
  await ann.register();
  await ben.register();
  await cal.register();
  await ann.createRoom('Harbour');
  await ben.joinRoom('Harbour');
  await cal.joinRoom('Harbour');
  await ben.createRoom('Elsewhere');
  const desk = await somebody('Ben');
  await desk.signIn();
  await desk.page.locator('.row', { hasText: 'Elsewhere' }).waitFor();

  await ann.write('Nobody in particular');
  await ann.composer.pressSequentially('Morning @b');
  await ann.page.getByRole('option', { name: '@Ben' }).waitFor();
  await ann.composer.press('Enter');
  assert.equal(await ann.composer.inputValue(), 'Morning @Ben ');
  await ann.composer.press('Enter');
  await ann.write('and @room too');
  await cal.write('Cal calls on @Ann');

  const stand = (/** @type {Person} */ who, /** @type {number} */ unread, /** @type {number} */ mentions) =>
    until(`${unread} unread, ${mentions} of them mentions`, async () => {
      const badge = await who.badge('Harbour');
      return badge.unread === unread && badge.mentions === mentions;
    });
  // @room by a member of a public room calls on it for its owner alone; Ann owns it.
  for (const device of [ben, desk]) await stand(device, 4, 2);
  assert.match(await cal.said('Morning').innerText(), /@Ben/);
  assert.equal(await cal.said('Morning').evaluate((row) => row.classList.contains('calls')), false);
  assert.equal(await cal.said('too').evaluate((row) => row.classList.contains('calls')), true);

  await ann.act('Morning', 'delete');
  for (const device of [ben, desk]) await stand(device, 3, 1);

  await ben.openRoom('Harbour');
  for (const device of [ben, desk]) await stand(device, 0, 0);
  await ben.sees('and @room too');
  await desk.page.reload();
  await desk.page.locator('.row', { hasText: 'Harbour' }).waitFor();
  await stand(desk, 0, 0);
});
