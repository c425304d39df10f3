import 'fake-indexeddb/auto';

import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, test, vi } from 'vitest';

import { ADOPT_MS } from '../src/chat.js';
import { idbStore, KEPT, OPEN_MS } from '../src/idb.js';
import { mergeRecord } from '../src/merge.js';
import { newRecord, type RoomRecord } from '../src/log.js';
import { memoryStore, type Store, type Waiting } from '../src/store.js';
import type { RoomRow } from '../src/wire.js';
import { settle } from './clock.js';
import { roomId } from './server.js';
import { look, World } from './world.js';

const long = () => settle(80);

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

async function open(store: Store) {
  const world = new World();
  const kitchen = world.server.room('kitchen', ['ann', 'bob']);
  const chat = await world.chat('ann', store);
  await long();
  const ann = look(chat, kitchen);
  await long();
  return { world, kitchen, chat, ann };
}

describe('IndexedDB', () => {
  test('a reload finds lines, rooms, position and what waits', async () => {
    const { world, kitchen, chat, ann } = await open(idbStore('one'));
    world.server.say(kitchen, 'bob', 'kept');
    await long();
    world.server.up = false;
    world.server.cut();
    const waiting = ann.room.send('waits');
    await long();
    await chat.disconnect();
    const again = await world.chat('ann', idbStore('one'));
    await long();
    const seen = look(again, kitchen);
    await long();
    expect(seen.texts()).toEqual(['kept', 'waits']);
    expect(again.rooms()).toMatchObject([{ id: kitchen, unread: 1 }]);
    world.server.up = true;
    await world.clock.advance(3000);
    await long();
    expect(world.server.texts(kitchen)).toEqual(['kept', 'waits']);
    expect(world.server.got.findLast((frame) => frame.type === 'hello')).toMatchObject({ open: [[kitchen, 2]] });
    expect(seen.all().at(-1)).toMatchObject({ key: waiting.key, status: 'sent' });
    expect(await idbStore('one').waiting()).toEqual([]);
  });

  test('two tabs share one database: nothing twice, nothing missing', async () => {
    const { world, kitchen, ann } = await open(idbStore('two'));
    const second = await world.chat('ann', idbStore('two'));
    await long();
    const other = look(second, kitchen);
    await long();
    ann.room.send('from the first');
    await long();
    other.room.send('from the second');
    world.server.say(kitchen, 'bob', 'from bob');
    await long();
    await world.clock.advance(2000);
    const expected = ann.texts();
    expect(expected).toHaveLength(3);
    expect(other.texts()).toEqual(expected);
    expect(world.server.texts(kitchen)).toEqual(expected);
    const stored = idbStore('two');
    expect((await stored.lines(kitchen, Infinity, 100)).map(({ event }) => event.seq)).toEqual([1, 2, 3, 4]);
    expect((await stored.load()).rooms.get(kitchen)).toMatchObject({ cursor: 4, low: 1 });
    expect(await stored.waiting()).toEqual([]);
  });

  test('what a tab leaves is sent by one that was connected all along', async () => {
    const store = memoryStore();
    const { world, kitchen, ann } = await open(store);
    // As if another tab had written it, and been closed.
    await store.put({ key: 'k_left', room: kitchen, frame: { type: 'send', text: 'left' }, order: 1, ts: 1 });
    await world.clock.advance(ADOPT_MS);
    await long();
    expect(world.server.texts(kitchen)).toEqual(['left']);
    expect(ann.texts()).toEqual(['left']);
    await world.clock.advance(2 * ADOPT_MS);
    expect(world.server.texts(kitchen)).toEqual(['left']);
  });

  test('a tab in an earlier life of the data writes nothing', async () => {
    const store = idbStore('life');
    const changes = (life: number, epoch: string) => ({ life, meta: { epoch }, rooms: new Map(), profiles: new Map() });
    await store.write(changes(0, 'e_old'));
    await store.write(changes(1, 'e_new'));
    await store.write(changes(0, 'e_old'));
    expect((await store.load()).meta).toMatchObject({ epoch: 'e_new', life: 1 });
  });

  test('what waits belongs to the tab that lives', async () => {
    const held = new Set<string>();
    const locks = {
      request: async (name: string, second: unknown, third?: (lock: unknown) => unknown) => {
        if (typeof second === 'function') {
          held.add(name);
          await (second as () => Promise<void>)();
          return held.delete(name);
        }
        return third!(held.has(name) ? null : {});
      },
    };
    Object.defineProperty(globalThis, 'navigator', { value: { locks }, configurable: true });
    const first = idbStore('owners');
    await first.put({ key: 'k_1', room: roomId('kitchen'), frame: { type: 'send', text: 'mine' }, order: 1, ts: 1 });
    const second = idbStore('owners');
    expect(await second.waiting()).toEqual([]);
    first.close();
    await long();
    expect(await second.waiting()).toMatchObject([{ key: 'k_1', frame: { text: 'mine' } }]);
    const third = idbStore('owners');
    expect(await third.waiting()).toEqual([]);
    Object.defineProperty(globalThis, 'navigator', { value: undefined, configurable: true });
  });
});

test('a message that an older version kept goes out like any other', async () => {
  const store = idbStore('older');
  const old = { key: 'k_1', room: roomId('kitchen'), text: 'written before', order: 1, ts: 1 };
  await store.put(old as unknown as Waiting);
  expect(await store.waiting()).toMatchObject([{ key: 'k_1', frame: { type: 'send', text: 'written before' } }]);
});

describe('trouble', () => {
  const full = () => Promise.reject(Object.assign(new Error('no room'), { name: 'QuotaExceededError' }));

  test('a full device is told, and live use goes on', async () => {
    const store = idbStore('full');
    const { world, kitchen, chat, ann } = await open(store);
    world.server.say(kitchen, 'bob', 'stored');
    await long();
    const problems: string[] = [];
    chat.on('problem', ({ code }) => problems.push(code));
    store.write = full;
    store.put = full;
    world.server.say(kitchen, 'bob', 'not stored');
    await long();
    ann.room.send('mine');
    await long();
    expect(problems).toEqual(['device_full']);
    expect(ann.texts()).toEqual(['stored', 'not stored', 'mine']);
    world.server.cut();
    await world.clock.advance(2000);
    world.server.say(kitchen, 'bob', 'later');
    await long();
    expect(ann.texts()).toEqual(['stored', 'not stored', 'mine', 'later']);
    // The next start goes on from what the device has.
    await chat.disconnect();
    const again = await world.chat('ann', idbStore('full'));
    await long();
    const seen = look(again, kitchen);
    await long();
    expect(seen.texts()).toEqual(['stored', 'not stored', 'mine', 'later']);
  });

  test('without a database it works from memory, and says so to who asks later', async () => {
    globalThis.indexedDB = { open: () => { throw new Error('blocked by the user'); } } as never;
    const { world, kitchen, chat, ann } = await open(idbStore('none'));
    const problems: string[] = [];
    chat.on('problem', ({ code }) => problems.push(code));
    await settle();
    expect(problems).toEqual(['store_broken']);
    ann.room.send('works');
    await long();
    expect(world.server.texts(kitchen)).toEqual(['works']);
    expect(ann.texts()).toEqual(['works']);
  });

  test('a database that never answers is given up, and memory takes over', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    try {
      globalThis.indexedDB = { open: () => ({}) } as never;
      const world = new World();
      const kitchen = world.server.room('kitchen', ['ann', 'bob']);
      const joining = world.chat('ann', idbStore('mute'));
      await settle();
      vi.advanceTimersByTime(OPEN_MS);
      const chat = await joining;
      const problems: string[] = [];
      chat.on('problem', ({ code }) => problems.push(code));
      const ann = look(chat, kitchen);
      await settle();
      ann.room.send('works');
      await settle();
      expect(problems).toEqual(['store_broken']);
      expect(world.server.texts(kitchen)).toEqual(['works']);
    } finally {
      vi.useRealTimers();
    }
  });

  test('a store that cannot be read any more hides no history', async () => {
    const store = idbStore('unreadable');
    const { world, kitchen, chat, ann } = await open(store);
    for (let at = 0; at < 70; at += 1) world.server.say(kitchen, 'bob', `m${at}`);
    await long();
    await chat.disconnect();
    const again = await world.chat('ann', store);
    store.lines = () => Promise.reject(new Error('damaged'));
    const seen = look(again, kitchen);
    await long();
    while ((await seen.room.older()).more) await long();
    expect(seen.texts()).toEqual(ann.texts());
    expect(seen.texts()).toHaveLength(70);
  });
});

describe('bounds', () => {
  test('of a room the newest lines are kept, and the others come from the server', async () => {
    const count = KEPT + 60;
    const world = new World();
    const kitchen = world.server.room('kitchen', ['ann', 'bob']);
    for (let at = 2; at <= count; at += 1) world.server.say(kitchen, 'bob', `m${at}`);
    const chat = await world.chat('ann', idbStore('bounds'));
    const seen = look(chat, kitchen);
    await long();
    while ((await seen.room.older()).more) await long();
    await chat.disconnect();
    const stored = await idbStore('bounds').lines(kitchen, Infinity, Infinity);
    expect(stored.map(({ event }) => event.seq)).toEqual(Array.from({ length: KEPT }, (_, at) => count - KEPT + 1 + at));
    const again = look(await world.chat('ann', idbStore('bounds')), kitchen);
    await long();
    while ((await again.room.older()).more) await long();
    expect(again.all().map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, at) => at + 1));
  });
});

describe('merge', () => {
  const row = (head: number): RoomRow => ({
    room: roomId('kitchen'), kind: 'group', history: 'joining', head, msg_no: head, floor: 1, members: 2,
    me: { state: 'joined', role: 'member', since: 1, delivered: 0, read: 0, unread: 0 },
  });
  const record = (low: number, cursor: number, more: Partial<RoomRecord> = {}) => ({ ...newRecord(row(cursor)), low, cursor, ...more });

  test('stretches that touch are one, others are the newer one', () => {
    const check = (a: [number, number], b: [number, number], expected: [number, number]) => {
      for (const [one, two] of [[a, b], [b, a]] as const) {
        expect(mergeRecord(record(...one), record(...two))).toMatchObject({ low: expected[0], cursor: expected[1] });
      }
    };
    check([1, 10], [5, 20], [1, 20]);
    check([1, 10], [11, 20], [1, 20]);
    check([1, 10], [12, 20], [12, 20]);
    check([1, 30], [12, 20], [1, 30]);
  });

  test('markers only rise, and a room begun anew wins', () => {
    const old = record(1, 50, { read: 40 });
    expect(mergeRecord(old, record(1, 60, { read: 3 }))).toMatchObject({ cursor: 60, read: 40 });
    expect(mergeRecord(old, record(9, 10, { gen: 1 }))).toMatchObject({ cursor: 10, low: 9 });
    const anew = record(9, 10, { gen: 1 });
    expect(mergeRecord(anew, old)).toBe(anew);
  });
});
