// Taking away what is one's own, and going for good.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { journey, until } from '../lib/journey.mjs';
import { looks } from '../lib/looks.mjs';

/** @typedef {import('../lib/person.mjs').Person} Person */

/** Opens the dialog. @param {Person} who */
async function openMine(who) {
  await who.at('me').click();
  await who.at('me-mine').click();
  await who.at('mine-dialog').waitFor();
}

journey('one takes away what is one\'s own, deletes the account, and others see a deleted account', { name: 'mine', expected: ['refusals'] }, async ({ somebody }) => {
  const ann = await somebody('Ann');
  const ben = await somebody('Ben');
  await ann.register();
  await ben.register();
  await ann.createRoom('Harbour');
  await ben.joinRoom('Harbour');
  await ann.write('words of Ann');
  await ben.write('words of Ben');
  await ann.writeTo('Ben');
  await ann.write('for Ben alone');
  await ben.openRoom('Ann');

  await openMine(ann);
  await looks(ann, 'your data');
  const [file] = await Promise.all([ann.page.waitForEvent('download'), ann.at('take').click()]);
  assert.equal(file.suggestedFilename(), 'chinwag-export.ndjson');
  const lines = readFileSync(await file.path(), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.at(-1), { type: 'end', lines: lines.length });
  const texts = lines.filter((line) => line.kind === 'message').map((line) => line.body.text);
  assert.deepEqual(texts.sort(), ['for Ben alone', 'words of Ann']);

  await ann.at('go').click();
  await ann.page.locator('#go-password').waitFor();
  await looks(ann, 'going for good');
  await ann.at('confirm').click();
  await ann.at('problem').filter({ hasText: 'This needs your password.' }).waitFor();
  await ann.page.locator('#go-password').fill('not the password');
  await ann.at('confirm').click();
  await ann.at('problem').filter({ hasText: 'That password does not fit your name.' }).waitFor();
  await ann.at('words-redact').click();
  await ann.page.locator('#go-password').fill(ann.password);
  await ann.at('confirm').click();
  await ann.at('sign-in-form').waitFor();

  await until('the direct room names nobody', async () => (await ben.page.getByText('Deleted account').count()) > 0);
  await until('her words are gone', async () => (await ben.page.getByText('for Ben alone').count()) === 0);
  await ben.openRoom('Harbour');
  await until('hers are gone, his are not', async () => {
    const of = (/** @type {string} */ text) => ben.page.locator('.timeline, main').getByText(text).count();
    return (await of('words of Ann')) === 0 && (await of('words of Ben')) > 0;
  });
  await looks(ben, 'a deleted account');

  // Nothing lets her in again, and nobody takes her name.
  await ann.fillDoor('sign-in');
  await until('she is refused', async () => (await ann.page.getByText('does not fit this name').count()) > 0);
});
