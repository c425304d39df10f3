// Words written while nobody listens: they survive a reload, and go out once, in their order.
import assert from 'node:assert/strict';

import { journey, until } from '../lib/journey.mjs';

journey('messages written without a server survive a reload and go out once each, in order', { name: 'offline', expected: ['away'] }, async ({ server, somebody }) => {
  const away = await somebody('Ann');
  const ben = await somebody('Ben');
  await away.register();
  await ben.register();
  await away.createRoom('Harbour');
  await ben.joinRoom('Harbour');
  await ben.write('Is anybody here?');
  await away.sees('Is anybody here?');
  await away.canOpenOffline();
  await server.kill();

  const words = ['First,', 'second\nand', 'third.'];
  for (const text of words) await away.write(text);
  await until('three messages wait', async () => (await away.own('queued').count()) === 3);
  assert.equal(await away.own('queued').getByRole('img', { name: 'Waiting on this device' }).count(), 3);

  await away.page.reload();
  await until('all four stand there again', async () => (await away.count()) === 4);
  assert.deepEqual(await away.texts(), ['Is anybody here?', ...words]);
  assert.equal(await away.own('sent').count(), 0, 'nothing pretends to have been sent');

  // What waits belongs to the tab that wrote it, and to the next one when that is gone.
  await away.page.close();
  const ann = await away.tab();
  await ann.openRoom('Harbour');
  await until('a new tab opens without a server', async () => (await ann.count()) === 4);
  assert.deepEqual(await ann.texts(), ['Is anybody here?', ...words]);

  await ann.composer.fill('half a thought');
  await server.start();
  await ann.sees('Back. 3 messages went out.', 40_000);
  await until('all three are sent', async () => (await ann.own('sent').count()) === 3);
  assert.equal(await ann.composer.inputValue(), 'half a thought', 'what is being typed stays');
  await until('Ben has them', async () => (await ben.count()) >= 4, 40_000);
  await ann.page.reload();
  await until('Ann has them from her device', async () => (await ann.own('sent').count()) === 3);
  assert.deepEqual(await ben.texts(), ['Is anybody here?', ...words]);
  assert.deepEqual((await ann.shown()).map(({ seq, key }) => [seq, key]), (await ben.shown()).map(({ seq, key }) => [seq, key]));
  assert.equal(await ann.composer.inputValue(), 'half a thought', 'a draft survives, too');
});
