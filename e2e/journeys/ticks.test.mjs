// Three ticks: stored, received, read; by one, by each of several, and by nobody who hides it.
import assert from 'node:assert/strict';

import { journey, until } from '../lib/journey.mjs';
import { looks } from '../lib/looks.mjs';

/** @typedef {import('../lib/person.mjs').Person} Person */

/** Who stands in which part of "who has read it". @param {Person} who @param {string} text */
async function info(who, text) {
  await who.openActs(text);
  await who.at('info').click();
  const dialog = who.at('info-dialog');
  await dialog.waitFor();
  const part = async (/** @type {string} */ look) => (await dialog.getByTestId(`info-${look}`).locator('.person .grow').allInnerTexts()).sort();
  return {
    dialog,
    parts: async () => ({ read: await part('read'), delivered: await part('delivered'), sent: await part('sent') }),
    close: async () => {
      await who.page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    },
  };
}

journey('a message is sent, then delivered when the other one comes, then read when they look', { name: 'ticks' }, async ({ somebody }) => {
  const ann = await somebody('Ann');
  const ben = await somebody('Ben');
  await ann.register();
  await ben.register();
  await ann.writeTo('Ben');
  await ben.page.close();
  await ann.write('Is anybody there?');
  await ann.tick('anybody', 'sent', 'Sent');
  const row = ann.page.locator('.row', { hasText: 'Ben' });
  await row.locator('[data-tick=sent]').waitFor();

  // Back, but not in this room: it has reached him, and he has not seen it.
  const again = await ben.tab();
  await again.page.locator('.row[data-unread="1"]').waitFor();
  await ann.tick('anybody', 'delivered', 'Delivered');
  await row.locator('[data-tick=delivered]').waitFor();
  await ann.page.waitForTimeout(1_000);
  await ann.tick('anybody', 'delivered');

  await again.openRoom('Ann');
  await ann.tick('anybody', 'read', 'Read');
  await row.locator('[data-tick=read]').waitFor();
  await ann.write('There you are.');
  await ann.tick('There you are', 'read');

  // What lies under a dialog is delivered, and read once it is in view again.
  await again.at('me').click();
  await again.at('me-privacy').click();
  await ann.write('Under a dialog');
  await ann.tick('Under a dialog', 'delivered');
  await ann.page.waitForTimeout(1_000);
  await ann.tick('Under a dialog', 'delivered');
  await again.page.keyboard.press('Escape');
  await ann.tick('Under a dialog', 'read');

  const told = await info(ann, 'anybody');
  await until('Ben is named', async () => (await told.parts()).read.includes('Ben'));
  assert.match(await told.dialog.locator('time').first().innerText(), /^\d\d:\d\d$/);
  await told.close();

  // From the device alone the ticks are the server's last word; with the line they are asked for anew.
  await ann.page.reload();
  await ann.tick('anybody', 'read');
});

for (const [size, viewport] of Object.entries({ wide: { width: 1440, height: 900 }, narrow: { width: 360, height: 740 } })) {
  journey(`in a group ticks count each person, on a ${size} screen without barriers`, { name: `ticks-group-${size}` }, async ({ somebody }) => {
    const ann = await somebody('Ann', { viewport, reducedMotion: 'reduce' });
    const ben = await somebody('Ben');
    const cal = await somebody('Cal');
    for (const one of [ann, ben, cal]) await one.register();
    await ann.createRoom('Harbour');
    await ben.joinRoom('Harbour');
    await cal.joinRoom('Harbour');
    await cal.page.reload();
    await cal.connected();
    await cal.createRoom('Elsewhere');
    await ann.write('Who reads this?');
    await ann.tick('Who reads', 'delivered', 'Read by 1 of 2');
    const told = await info(ann, 'Who reads');
    await until('one has read it, the other has it', async () => JSON.stringify(await told.parts()) === JSON.stringify({ read: ['Ben'], delivered: ['Cal'], sent: [] }));
    await looks(ann, 'who has read it');
    await cal.openRoom('Harbour');
    await until('both have read it', async () => JSON.stringify(await told.parts()) === JSON.stringify({ read: ['Ben', 'Cal'], delivered: [], sent: [] }));
    await told.close();
    await ann.tick('Who reads', 'read', 'Read by everyone');
    await looks(ann, 'ticks in a group');

    // Somebody who comes in later takes no tick away, and counts from then on.
    const dan = await somebody('Dan');
    await dan.register();
    await dan.joinRoom('Harbour');
    await dan.page.close();
    await ann.sees('Dan');
    await ann.write('And this?');
    await ann.tick('And this', 'sent', 'Read by 2 of 3');
    await ann.tick('Who reads', 'read');
  });
}

journey('who hides what they have read does not see it of others', { name: 'ticks-hidden' }, async ({ somebody }) => {
  const ann = await somebody('Ann');
  const ben = await somebody('Ben');
  await ann.register();
  await ben.register();
  await ann.writeTo('Ben');
  await ann.write('Before');
  await ben.openRoom('Ann');
  await ann.tick('Before', 'read');

  await ben.show('hide_receipts', false);
  await ann.write('After');
  await ben.sees('After');
  await ann.tick('After', 'sent');
  await ben.write('I saw that.');
  await ann.sees('I saw that.');
  await ben.tick('I saw that', 'sent');
  const told = await info(ben, 'I saw that');
  await ben.sees('You do not tell others what you have read');
  await told.close();
  await ann.page.waitForTimeout(1_000);
  await ann.tick('After', 'sent');
  await ben.tick('I saw that', 'sent');

  // Stored all the same, and told from now on.
  await ben.show('hide_receipts', true);
  await ben.tick('I saw that', 'read');
  await ann.write('Once more');
  await ann.tick('Once more', 'read');
  await ann.page.reload();
  await ann.tick('After', 'read');
});
