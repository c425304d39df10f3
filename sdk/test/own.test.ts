import { expect, test } from 'vitest';

import { block, notify, quiet, unblock } from '../src/conversation.js';
import { people } from '../src/people/index.js';
import { memoryStore } from '../src/store.js';
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

test('a row told between two events is taken in', async () => {
  const world = new World();
  const kitchen = world.server.room('kitchen', ['ann', 'bob']);
  const chat = await world.chat('ann');
  const { room } = look(chat, kitchen);
  await settle();
  const row = world.server.row(world.server.rooms.get(kitchen)!, userId('ann'));
  world.server.tell(userId('ann'), { type: 'row', row: { ...row, me: { ...row.me, state: 'banned' } } });
  await settle();
  expect(room.info.get()?.state).toBe('banned');
  expect(chat.rooms()).toEqual([]);
});

test('what the blocked have written does not count, also after a start without a line', async () => {
  const world = new World();
  const kitchen = world.server.room('kitchen', ['ann', 'bob', 'cal']);
  const store = memoryStore();
  const chat = await world.chat('ann', store);
  const { room } = look(chat, kitchen);
  await settle();
  world.server.say(kitchen, 'bob', 'one');
  world.server.say(kitchen, 'cal', 'two');
  await settle();
  expect(room.info.get()?.unread).toBe(2);
  world.server.tell(userId('ann'), { type: 'blocks', users: [userId('bob')], version: 1 });
  world.server.say(kitchen, 'bob', 'three');
  await settle();
  expect(room.info.get()?.unread).toBe(1);
  await chat.disconnect();
  world.server.up = false;
  const again = await world.chat('ann', store);
  const seen = look(again, kitchen);
  await settle();
  expect(seen.room.info.get()?.unread).toBe(1);
  await again.disconnect();
});

test('when what notifies one has changed elsewhere, the row that has it is asked for', async () => {
  const world = new World();
  const kitchen = world.server.room('kitchen', ['ann', 'bob']);
  const chat = await world.chat('ann');
  const listening = people(chat);
  await settle();
  const notify = { level: 'none', quiet_until: 0, version: 1 } as const;
  const before = world.server.got.length;
  world.server.tell(userId('ann'), { type: 'notify', room: kitchen, notify });
  await settle();
  expect(world.server.got.slice(before)).toMatchObject([{ type: 'room', room: kitchen }]);
  listening.end();
});
