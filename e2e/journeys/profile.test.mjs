// How one is shown: a name and a picture, chosen by one and seen by another who does nothing for it.
import assert from 'node:assert/strict';

import { journey, until } from '../lib/journey.mjs';
import { looks } from '../lib/looks.mjs';

/** @typedef {import('../lib/person.mjs').Person} Person */

/** One orange pixel. */
const pixel = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

/** Whether a picture stands there and has been drawn. @param {import('playwright-core').Locator} face */
const isDrawn = (face) =>
  face.locator('img').evaluate((img) => img instanceof HTMLImageElement && img.naturalWidth > 0 && img.src.startsWith('blob:')).catch(() => false);

journey('a name and a picture are chosen by one and seen by another, without a reload', { name: 'profile' }, async ({ somebody }) => {
  const ann = await somebody('Ann');
  const ben = await somebody('Ben');
  await ann.register();
  await ben.register();
  await ann.createRoom('Harbour');
  await ben.joinRoom('Harbour');
  await ann.write('Before');
  await ben.sees('Before');

  await ann.at('me').click();
  await ann.at('me-privacy').click();
  const dialog = ann.at('privacy-dialog');
  await dialog.locator('#shown-name').fill('Ann Lee');
  await ann.at('name-save').click();
  await until('her own page says so', async () => (await ann.at('me-name').innerText()) === 'Ann Lee');
  await ann.at('picture-file').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: Buffer.from('no picture at all') });
  await dialog.getByText('This is no picture. Choose a PNG, a JPEG or a WebP.').waitFor();
  await ann.at('picture-file').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: pixel });
  await until('her own picture is there', () => isDrawn(dialog.locator('.face')));
  await looks(ann, 'profile');
  await ann.page.keyboard.press('Escape');

  // What she writes from now on says that she looks otherwise.
  await ann.write('After');
  await ben.sees('After');
  const line = ben.page.locator('.msg', { hasText: 'After' });
  await until('Ben sees her name', async () => (await ben.page.locator('.msg.first .who b').last().innerText()) === 'Ann Lee');
  await until('and her picture beside her words', () => isDrawn(ben.page.locator('.msg.first .face').last()));
  await until('and among the people', () => isDrawn(ben.page.locator('.pane-people .person', { hasText: 'Ann Lee' }).locator('.face')));
  assert.equal(await line.count(), 1);

  // Taken away, letters stand there again.
  await ann.at('me').click();
  await ann.at('me-privacy').click();
  await ann.at('picture-remove').click();
  await until('her picture is gone', async () => (await dialog.locator('.face img').count()) === 0);
  await ann.page.keyboard.press('Escape');
  await ann.write('Once more');
  await ben.sees('Once more');
  await until('for Ben, too', async () => (await ben.page.locator('.msg.first .face img').count()) === 0);
  assert.equal(await ben.page.locator('.msg.first .face').last().innerText(), 'AL');
});
