import { expect, test } from 'vitest';

import { block, notify, quiet, unblock } from '../src/conversation.js';
import { settle } from './clock.js';
import { userId } from './server.js';
import { look, World } from './world.js';

test('what is one\'s own is asked for as the protocol has it, and what is left out is not said', async () => {
  const world = new World();
  const kitchen = world.server.room('kitchen', ['ann', 'bob']);
  const chat = await world.chat('ann');
  const { room } = look(chat, kitchen);
  await settle();
  const before = world.server.got.length;
  await notify(room, { level: 'mentions' });
  await notify(room, { quietUntil: 0 });
  await quiet(chat, { daily: { from: 1320, to: 420 } });
  await block(chat, userId('bob'));
  await unblock(chat, userId('bob'));
  const said = world.server.got.slice(before).map((frame) => JSON.parse(JSON.stringify({ ...frame, req: 0 })));
  expect(said).toEqual([
    { type: 'notify', req: 0, room: kitchen, level: 'mentions' },
    { type: 'notify', req: 0, room: kitchen, quiet_until: 0 },
    { type: 'settings', req: 0, dnd_daily: { from: 1320, to: 420 } },
    { type: 'block', req: 0, user: userId('bob'), on: true },
    { type: 'block', req: 0, user: userId('bob'), on: false },
  ]);
});

test('what is refused is an error with its code', async () => {
  const world = new World();
  const chat = await world.chat('ann');
  world.server.refuse = (frame) => (frame.type === 'block' ? { code: 'too_many', retryable: false } : undefined);
  await expect(block(chat, userId('bob'))).rejects.toMatchObject({ code: 'too_many' });
});
