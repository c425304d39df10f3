// What the page says of its line, and what it counts while one is not looking.
import assert from 'node:assert/strict';

import { journey, until } from '../lib/journey.mjs';
import { looks } from '../lib/looks.mjs';

journey('the line says what it is, counts down, and comes back when asked', { name: 'line', expected: ['away'] }, async ({ server, somebody }) => {
  const ann = await somebody('Ann');
  await ann.register();
  await ann.createRoom('Harbour');
  await ann.connected();
  const word = ann.at('line').first();
  assert.match((await word.textContent()) ?? '', /^Connected/);

  await server.kill();
  await ann.line('reconnecting');
  await ann.sees(/^Reconnecting in [2-9] s$/, 30_000);
  await ann.sees('Keep writing. Your messages go out when the line is back.');
  await ann.sees('Try now');
  await ann.write('on its way');
  await ann.own('queued').waitFor();
  await looks(ann, 'reconnecting');

  await ann.context.setOffline(true);
  await ann.line('offline');
  await ann.sees('You are offline. 1 message waits on this device and goes out by itself.');
  await looks(ann, 'offline');
  await ann.context.setOffline(false);

  await ann.line('failed', 60_000);
  await ann.sees('We could not reach Chinwag. What you wrote is kept here.');
  await looks(ann, 'not connected');
  await server.start();
  await ann.page.getByRole('button', { name: 'Try again' }).first().click();
  await ann.connected();
  await ann.own('sent').waitFor();
  assert.match((await word.textContent()) ?? '', /^Connected/);

  await server.kill();
  await ann.line('reconnecting');
  await server.start();
  // The page may be back by itself before the button is reached.
  await Promise.race([ann.at('retry').first().click(), ann.connected()]);
  await ann.connected();
});

journey('a closed room counts what is unread, and opens where it begins', { name: 'unread', settings: ['limits.rate_burst=100'] }, async ({ somebody }) => {
  const ann = await somebody('Ann');
  const ben = await somebody('Ben');
  await ann.register();
  await ben.register();
  await ann.createRoom('Harbour');
  await ben.joinRoom('Harbour');
  await ann.write('You have read this one.');
  await ben.sees('You have read this one.');
  await ben.createRoom('Kitchen');

  const lines = 40;
  for (let index = 1; index <= lines; index += 1) await ann.write(`line ${index}`);
  const row = ben.page.locator('.row', { hasText: 'Harbour' });
  await until('the row counts all of them', async () => (await row.getAttribute('data-unread')) === String(lines));
  assert.equal(await row.locator('.badge [aria-hidden]').textContent(), String(lines));
  assert.match(await ben.page.title(), /^\(40\) /);

  await ben.openRoom('Harbour');
  const line = ben.at('new-messages');
  await line.waitFor();
  assert.equal(await line.textContent(), `${lines} new messages`);
  assert.ok(await inView(ben, '[data-testid=new-messages]'), 'it opens where the new ones begin');
  assert.ok(!(await inView(ben, '.log [data-key]:last-child')), 'and not at the end');
  await ben.at('jump').click();
  await until('all is read', async () => (await row.getAttribute('data-unread')) === '0');
  assert.doesNotMatch(await ben.page.title(), /^\(/);
  await line.waitFor();
  await ben.page.reload();
  await ben.connected();
  assert.equal(await row.getAttribute('data-unread'), '0', 'read is read, after a reload as well');
});

/** @param {import('../lib/person.mjs').Person} person @param {string} selector */
function inView(person, selector) {
  return person.page.locator(selector).evaluate((element) => {
    const log = element.closest('.log')?.getBoundingClientRect();
    const own = element.getBoundingClientRect();
    return log !== undefined && own.top >= log.top && own.bottom <= log.bottom + 1;
  });
}
