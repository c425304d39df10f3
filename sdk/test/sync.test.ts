import { describe, expect, test } from 'vitest';

import { memoryStore, type Changes, type Store } from '../src/store.js';
import type { ClientFrame } from '../src/wire.js';
import { settle } from './clock.js';
import { userId } from './server.js';
import { look, World } from './world.js';

const hellos = (world: World) => world.server.got.filter((frame): frame is Extract<ClientFrame, { type: 'hello' }> => frame.type === 'hello');

async function open(store: Store = memoryStore()) {
  const world = new World();
  const kitchen = world.server.room('kitchen', ['ann', 'bob']);
  const chat = await world.chat('ann', store);
  const ann = look(chat, kitchen);
  await settle();
  const away = async (what: () => void) => {
    world.server.up = false;
    world.server.cut();
    what();
    world.server.up = true;
    await world.clock.advance(3000);
  };
  return { world, kitchen, store, chat, ann, away };
}

describe('coming back', () => {
  test('says what it has, and gets what it missed', async () => {
    const { world, kitchen, chat, ann, away } = await open();
    world.server.say(kitchen, 'bob', 'one');
    await world.clock.advance(16_000);
    const unread: number[] = [];
    chat.on('unread', (count) => unread.push(count));
    const heard: string[] = [];
    ann.room.on('message', (one) => heard.push(one.text));
    await away(() => world.server.say(kitchen, 'bob', 'two'));
    const hello = hellos(world).at(-1)!;
    expect(hello).toMatchObject({ v: 1, open: [[kitchen, 2]], last: { room: kitchen, seq: 2 }, epoch: world.server.epoch });
    expect(hello.position).toMatch(/^p\d+$/);
    expect(hello.device).toBe(hellos(world)[0]!.device);
    expect(ann.texts()).toEqual(['one', 'two']);
    expect(heard).toEqual(['two']);
    // What is unread, not what was missed: nobody has read the first one either.
    expect(unread).toEqual([2]);
  });

  test('rooms that nobody looks at are fetched as well', async () => {
    const { world, chat, away } = await open();
    const garden = world.server.room('garden', ['ann', 'bob']);
    await away(() => undefined);
    await away(() => world.server.say(garden, 'bob', 'roses'));
    expect(chat.rooms().find((one) => one.id === garden)).toMatchObject({ unread: 1, last: { text: 'roses' } });
    expect(world.server.got.some((frame) => frame.type === 'after' && frame.room === garden)).toBe(true);
  });

  test('more than is streamed: the room begins anew, without a hole', async () => {
    const { world, kitchen, ann, away } = await open();
    world.server.streamMax = 100;
    world.server.say(kitchen, 'bob', 'old');
    await settle();
    await away(() => {
      for (let at = 0; at < 150; at += 1) world.server.say(kitchen, 'bob', `m${at}`);
    });
    expect(ann.texts()).toHaveLength(50);
    expect(ann.texts().at(-1)).toBe('m149');
    expect(ann.room.complete).toBe(false);
    while ((await ann.room.older()).more);
    expect(ann.texts()).toEqual(['old', ...Array.from({ length: 150 }, (_, at) => `m${at}`)]);
  });

  test('many missed events of a closed room come in several answers', async () => {
    const { world, chat, away } = await open();
    const garden = world.server.room('garden', ['ann', 'bob']);
    await away(() => undefined);
    await away(() => {
      for (let at = 0; at < 450; at += 1) world.server.say(garden, 'bob', `m${at}`);
    });
    await settle();
    const seen = look(chat, garden);
    await settle();
    expect(seen.texts()).toEqual(Array.from({ length: 450 }, (_, at) => `m${at}`));
    expect(chat.rooms().find((one) => one.id === garden)?.unread).toBe(450);
  });

  test('another epoch: everything cached is void, what waits is not', async () => {
    const { world, kitchen, store, ann, away } = await open();
    world.server.say(kitchen, 'bob', 'of the old life');
    await settle();
    await away(() => {
      ann.room.send('mine');
      world.server.epoch = 'e_' + 'two'.padEnd(26, 'a');
      world.server.rooms.clear();
      world.server.room('kitchen', ['ann', 'bob']);
      world.server.say(kitchen, 'bob', 'of the new life');
    });
    await world.clock.advance(3000);
    expect(ann.texts()).toEqual(['of the new life', 'mine']);
    expect((await store.load()).meta.epoch).toBe(world.server.epoch);
    expect(await store.waiting()).toEqual([]);
  });

  test('a server put back to an older copy is found by the last event', async () => {
    const { world, kitchen, ann, away } = await open();
    world.server.say(kitchen, 'bob', 'kept');
    world.server.say(kitchen, 'bob', 'lost by the restore');
    await settle();
    await away(() => {
      world.server.rooms.get(kitchen)!.events.pop();
      world.server.say(kitchen, 'bob', 'after the restore', 'k_' + 'z'.repeat(26));
    });
    expect(ann.texts()).toEqual(['kept', 'after the restore']);
    const before = hellos(world).length;
    await away(() => undefined);
    expect(hellos(world)).toHaveLength(before + 1);
    expect(ann.texts()).toEqual(['kept', 'after the restore']);
  });

  test('a room that the whole list does not name is forgotten', async () => {
    const { world, kitchen, store, chat, away } = await open();
    expect(chat.rooms()).toHaveLength(1);
    await away(() => {
      world.server.rooms.delete(kitchen);
      world.server.epoch = 'e_' + 'three'.padEnd(26, 'a');
    });
    expect(chat.rooms()).toEqual([]);
    expect((await store.load()).rooms.size).toBe(0);
  });
});

describe('behind', () => {
  test('answers with sync on the same socket and goes on', async () => {
    const { world, kitchen, ann } = await open();
    const sockets = world.server.opened;
    world.server.pass = (frame) => frame.type !== 'event';
    for (const text of ['a', 'b', 'c']) world.server.say(kitchen, 'bob', text);
    world.server.pass = () => true;
    for (const connection of world.server.connections) if (connection.user === userId('ann')) connection.out({ type: 'behind' });
    await settle();
    expect(world.server.got.find((frame) => frame.type === 'sync')).toMatchObject({ open: [[kitchen, 1]] });
    expect(ann.texts()).toEqual(['a', 'b', 'c']);
    world.server.say(kitchen, 'bob', 'd');
    await settle();
    expect(ann.texts()).toEqual(['a', 'b', 'c', 'd']);
    expect(world.server.opened).toBe(sockets);
  });
});

describe('markers', () => {
  test('what was read offline is told after connecting', async () => {
    const { world, kitchen, chat, ann, away } = await open();
    world.server.say(kitchen, 'bob', 'one');
    await settle();
    await away(() => ann.room.markRead());
    await world.clock.advance(1000);
    expect(world.server.rooms.get(kitchen)!.members.get(userId('ann'))).toMatchObject({ read: 2, delivered: 2 });
    expect(chat.rooms()[0]).toMatchObject({ unread: 0, read: 2 });
  });

  test('what has arrived is told as delivered, coalesced; sending moves nothing', async () => {
    const { world, kitchen, ann } = await open();
    await world.clock.advance(1000);
    const marks = () => world.server.got.filter((frame) => frame.type === 'mark');
    const before = marks().length;
    for (let at = 0; at < 20; at += 1) world.server.say(kitchen, 'bob', `m${at}`);
    ann.room.send('mine');
    await world.clock.advance(1000);
    expect(marks().slice(before)).toMatchObject([{ delivered: 22 }]);
    expect(marks().at(-1)).not.toHaveProperty('read');
  });
});

describe('crash', () => {
  /** Takes over what was written up to the n-th transaction, as after a crash there. */
  function recording() {
    const inner = memoryStore();
    const written: Changes[] = [];
    const store: Store = {
      ...inner,
      write: async (changes) => {
        written.push(structuredClone(changes));
        await inner.write(changes);
      },
    };
    return { store, written };
  }

  test('whatever was written when it crashed, the next start ends with the same log', async () => {
    const { store, written } = recording();
    const { world, kitchen, chat } = await open(store);
    for (let at = 0; at < 5; at += 1) {
      world.server.say(kitchen, 'bob', `m${at}`);
      await world.clock.advance(16_000);
    }
    await chat.disconnect();
    const expected = ['m0', 'm1', 'm2', 'm3', 'm4'];
    expect(written.length).toBeGreaterThan(8);
    for (let cut = 0; cut <= written.length; cut += 1) {
      const after = memoryStore();
      for (const changes of written.slice(0, cut)) await after.write(structuredClone(changes));
      const again = await world.chat('ann', after);
      const seen = look(again, kitchen);
      await settle();
      expect(seen.texts(), `cut after ${cut}`).toEqual(expected);
      expect(seen.all().map((one) => one.seq)).toEqual([1, 2, 3, 4, 5, 6]);
      await again.disconnect();
    }
  });
});
