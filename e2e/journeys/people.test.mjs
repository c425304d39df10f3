// Who is there, who types, and what one shows of oneself.
import assert from 'node:assert/strict';

import { journey, until } from '../lib/journey.mjs';
import { looks } from '../lib/looks.mjs';

/** @typedef {import('../lib/person.mjs').Person} Person */

/** The server's grace before somebody counts as away, and how much later a page must have said so (docs/protocol.md, section 17). */
const graceMs = 30_000;
const lateMs = 5_000;

const whereabouts = (/** @type {Person} */ who, /** @type {'yes' | 'no'} */ here, ms = 15_000) =>
  who.page.locator(`[data-testid=whereabouts][data-here=${here}]`).waitFor({ timeout: ms });
const typing = (/** @type {Person} */ who, /** @type {string} */ words) => who.at('typing').filter({ hasText: words }).waitFor();
const silent = (/** @type {Person} */ who, ms = 15_000) => who.at('typing').waitFor({ state: 'detached', timeout: ms });

journey('people are here at once, and away half a minute after their last page has gone', { name: 'people' }, async ({ somebody }) => {
  const ann = await somebody('Ann');
  const ben = await somebody('Ben');
  const cal = await somebody('Cal');
  for (const one of [ann, ben, cal]) await one.register();
  await ann.createRoom('Harbour');
  await ben.joinRoom('Harbour');
  await cal.joinRoom('Harbour');
  await until('three are here', async () => (await ann.at('here-count').innerText()) === '3 here');
  const part = (/** @type {string} */ of) => ann.at(`people-${of}`).locator('[data-user] .grow > .cut:first-child').allInnerTexts();
  await until('all three are listed', async () => (await part('here')).length === 3);

  await ann.writeTo('Ben');
  await whereabouts(ann, 'yes');
  assert.equal(await ann.at('whereabouts').innerText(), 'Here');
  // Two pages: while one is left, he is here.
  const other = await ben.tab();
  await other.connected();
  await ben.page.close();
  await other.connected();
  const goneAt = Date.now();
  await other.page.close();

  // Meanwhile: typing seen, gone by silence and by the message. Cal stays.
  await ann.openRoom('Harbour');
  await cal.composer.pressSequentially('Wait', { delay: 50 });
  await typing(ann, 'Cal is typing…');
  assert.match(await ann.page.locator('.pane-people .person', { hasText: 'Cal' }).innerText(), /typing…/);
  await silent(ann);
  await cal.composer.pressSequentially(' for me', { delay: 50 });
  await typing(ann, 'Cal is typing…');
  await cal.composer.press('Enter');
  await ann.sees('Wait for me');
  await silent(ann, 1_000);
  await cal.composer.pressSequentially('x');
  await typing(ann, 'Cal is typing…');
  await cal.composer.press('Backspace');
  await silent(ann, 1_500);
  assert.equal(await cal.at('typing').count(), 0, 'nobody is told that they type themselves');

  await ann.openRoom('Ben');
  await ann.page.waitForTimeout(Math.max(0, goneAt + graceMs - 2_000 - Date.now()));
  await whereabouts(ann, 'yes', 1_000);
  await whereabouts(ann, 'no', goneAt + graceMs + lateMs - Date.now());
  assert.ok(Date.now() - goneAt >= graceMs - 1_000, 'not before the time is over');
  await until('when he was here last', async () => /^Seen today at \d\d:\d\d$/.test(await ann.at('whereabouts').innerText()));
  await ann.openRoom('Harbour');
  await until('one is away', async () => JSON.stringify(await part('away')) === JSON.stringify(['Ben']));
  assert.equal(await ann.at('here-count').innerText(), '2 here');
  await looks(ann, 'here and away');
});

journey('who hides that they are here does not see who is, and nobody sees them type', { name: 'people-hidden' }, async ({ somebody }) => {
  const ann = await somebody('Ann');
  const ben = await somebody('Ben');
  await ann.register();
  await ben.register();
  await ann.writeTo('Ben');
  await ben.openRoom('Ann');
  await whereabouts(ann, 'yes');
  await whereabouts(ben, 'yes');

  await ben.at('me').click();
  await ben.at('me-privacy').click();
  await ben.at('privacy-dialog').waitFor();
  await looks(ben, 'privacy');
  await ben.page.keyboard.press('Escape');
  await ben.show('hide_online', false);
  await whereabouts(ann, 'no');
  await until('Ben sees nobody', async () => (await ben.at('whereabouts').getAttribute('data-here')) === null);
  await ben.composer.pressSequentially('Hidden');
  await ann.composer.pressSequentially('Seen?');
  await ann.page.waitForTimeout(1_500);
  assert.deepEqual([await ann.at('typing').count(), await ben.at('typing').count()], [0, 0]);

  // On his other device it is the same; shown again, it is as before.
  const desk = await somebody('Ben');
  await desk.signIn();
  await desk.at('me').click();
  await desk.at('me-privacy').click();
  await desk.page.locator('[data-testid=hide_online][aria-checked=false]').waitFor();
  await ben.show('hide_online', true);
  await desk.page.locator('[data-testid=hide_online][aria-checked=true]').waitFor();
  await whereabouts(ann, 'yes');
  await whereabouts(ben, 'yes');
  await ben.composer.pressSequentially(' no more');
  await typing(ann, 'Ben is typing…');
});

journey('a command that is refused says why', { name: 'people-refused' }, async ({ somebody }) => {
  const ann = await somebody('Ann');
  const ben = await somebody('Ben');
  await ann.register();
  await ben.register();
  await ann.canRefuse('role');
  await ann.page.reload();
  await ann.createRoom('Harbour');
  await ben.joinRoom('Harbour');
  const person = ann.page.locator('.pane-people .person', { hasText: 'Ben' });
  await person.getByTestId('person-menu').click();
  await person.getByTestId('role-admin').click();
  await until('the reason is told', async () => (await ann.at('people-problem').innerText().catch(() => '')).includes('You may not do this here.'));
  await looks(ann, 'a refused command');
});
