// Two tabs of one person: one store, one outbox, each message once.
import assert from 'node:assert/strict';

import { journey, until } from '../lib/journey.mjs';

journey('two tabs show each message once, and one sends what the other left', { name: 'tabs', expected: ['away'] }, async ({ server, somebody }) => {
  const first = await somebody('Ann');
  const ben = await somebody('Ben');
  await first.register();
  await ben.register();
  await first.createRoom('Harbour');
  await ben.joinRoom('Harbour');
  const second = await first.tab();
  await second.openRoom('Harbour');
  await second.connected();

  await ben.write('to both of you');
  await first.write('from the first');
  await second.write('from the second');
  await ben.write('and again');
  const people = [first, second, ben];
  const allShow = (/** @type {number} */ count) => until(`all show ${count}`, async () => {
    const counts = await Promise.all(people.map((one) => one.count()));
    return counts.every((shown) => shown === count);
  }, 40_000);
  await allShow(4);
  await agree(people);

  await server.kill();
  await first.write('left behind, one');
  await first.write('left behind, two');
  await until('both wait', async () => (await first.own('queued').count()) === 2);
  await first.page.close();
  people.shift();
  await server.start();
  await allShow(6);
  await agree(people);
  assert.deepEqual((await ben.texts()).slice(4), ['left behind, one', 'left behind, two']);

  await second.page.reload();
  await until('the store has them once', async () => (await second.count()) === 6);
  await agree(people);
});

/** All show the same, and each message once. @param {import('../lib/person.mjs').Person[]} people */
async function agree(people) {
  for (const one of people) {
    await until('nothing waits', async () => (await one.own('sending').count()) + (await one.own('queued').count()) === 0);
  }
  const lists = await Promise.all(people.map(async (one) => (await one.shown()).map(({ seq, key, text }) => `${seq} ${key} ${text}`)));
  for (const list of lists) assert.deepEqual(list, lists[0]);
}
