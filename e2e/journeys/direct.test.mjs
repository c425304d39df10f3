// Two people alone: one room, whoever opens it, and nobody else's name leads anywhere.
import assert from 'node:assert/strict';

import { journey, until } from '../lib/journey.mjs';

journey('a direct room is the same from both sides, and what leads nowhere is said in words', { name: 'direct' }, async ({ somebody }) => {
  const ann = await somebody('Ann');
  const ben = await somebody('Ben');
  await ann.register();
  await ben.register();
  await ann.writeTo('Ben');
  await ann.write('Just between us.');
  const row = ben.page.locator('.row', { hasText: 'Ann' });
  await until('Ben has one unread message', async () => (await row.getAttribute('data-unread').catch(() => null)) === '1');
  await ben.writeTo('ann');
  assert.equal(ben.roomId(), ann.roomId(), 'found, not made again');
  await ben.sees('Just between us.');
  await ben.write('Nobody else.');
  await ann.sees('Nobody else.');
  await until('all is sent', async () => (await ben.own('sent').count()) === 1 && (await ann.own('sent').count()) === 1);
  const texts = ['Just between us.', 'Nobody else.'];
  assert.deepEqual([await ann.texts(), await ben.texts()], [texts, texts]);
  assert.equal(await ben.page.locator('.row').count(), 1);

  await ben.askFor('new-message');
  const dialog = ben.at('new-message-dialog');
  for (const [name, words] of [['Nobody At All', 'Nobody here is called Nobody At All.'], ['Ben', 'That is you. Choose somebody else.']]) {
    await dialog.locator('#message-person').fill(name ?? '');
    await dialog.locator('button[type=submit]').click();
    await ben.sees(words ?? '');
  }
});
