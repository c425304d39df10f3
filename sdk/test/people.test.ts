import { describe, expect, test } from 'vitest';

import { people, Receipts, type Presence } from '../src/people/index.js';
import { SAY_MS, SHOWN_MS } from '../src/people/typing.js';
import type { Chat } from '../src/types.js';
import type { ClientFrame, Person, Standing, ServerFrame, Settings } from '../src/wire.js';
import { settle } from './clock.js';
import { userId, type Connection } from './server.js';
import { World } from './world.js';

const [ann, bob, cal] = ['ann', 'bob', 'cal'].map(userId) as [string, string, string];

/** The part of the server that knows about people: what it answers, and to which connection. */
class Side {
  readonly watching = new Map<Connection, string[]>();
  readonly online = new Map<string, string[]>();
  readonly readers = new Map<string, Standing[]>();
  people: Person[] = [];
  change = 0;

  constructor(readonly world: World) {
    world.server.more = (frame, from) => {
      const { req } = frame;
      switch (frame.type) {
        case 'watch': {
          this.watching.set(from, frame.rooms ?? []);
          from.out({ type: 'ok', req });
          for (const room of frame.rooms ?? []) from.out(this.whole(room));
          return;
        }
        case 'typing':
        case 'settings':
          return from.out({ type: 'ok', req });
        case 'receipts':
          return from.out({ type: 'receipts', req, room: frame.room, members: this.readers.get(frame.room) ?? [] });
        case 'who': {
          const all = this.people.filter(({ user }) => user > (frame.after ?? ''));
          return from.out({ type: 'who', req, room: frame.room, people: all.slice(0, 2), more: all.length > 2 });
        }
      }
    };
  }

  whole(room: string): ServerFrame {
    const online = this.online.get(room) ?? [];
    return { type: 'presence', room, count: online.length, change: this.change, online };
  }

  said<T extends ClientFrame['type']>(type: T): Array<Extract<ClientFrame, { type: T }>> {
    return this.world.server.got.filter((frame): frame is Extract<ClientFrame, { type: T }> => frame.type === type);
  }

  tell(frame: ServerFrame, to = ann): Promise<void> {
    this.world.server.tell(to, frame);
    return settle();
  }
}

async function open(): Promise<{ world: World; side: Side; room: string; chat: Chat }> {
  const world = new World();
  const side = new Side(world);
  const room = world.server.room('kitchen', ['ann', 'bob', 'cal']);
  return { world, side, room, chat: await world.chat('ann') };
}

const away = (world: World) => {
  world.server.up = false;
  world.server.cut();
  return settle();
};
const back = (world: World) => {
  world.server.up = true;
  return world.clock.advance(3_000);
};
const names = (presence: Presence | undefined) => [...(presence?.online ?? [])].sort();

describe('presence', () => {
  test('is told while somebody looks, by changes, and said anew where one was missed', async () => {
    const { world, side, room, chat } = await open();
    side.online.set(room, [ann]);
    side.change = 4;
    const { presence } = people(chat).room(room);
    expect(presence.get()).toBeUndefined();
    const stop = presence.subscribe(() => undefined);
    await world.clock.advance(50);
    expect(side.said('watch').map(({ rooms }) => rooms)).toEqual([[room]]);
    expect(presence.get()).toMatchObject({ count: 1 });
    await side.tell({ type: 'presence', room, count: 3, change: 5, joined: [bob, cal] });
    await side.tell({ type: 'presence', room, count: 2, change: 6, left: [bob] });
    expect(names(presence.get())).toEqual([ann, cal]);
    // 7 is lost: what 8 says is no change of what is known.
    side.online.set(room, [ann, bob, cal]);
    side.change = 8;
    await side.tell({ type: 'presence', room, count: 3, change: 8, joined: [bob] });
    expect(names(presence.get())).toEqual([ann, cal]);
    await world.clock.advance(50);
    expect(names(presence.get())).toEqual([ann, bob, cal]);
    await side.tell({ type: 'presence', room, count: 4711 });
    expect(presence.get()).toEqual({ count: 4711 });
    stop();
    await world.clock.advance(50);
    expect(side.said('watch').at(-1)!.rooms).toEqual([]);
    expect(presence.get()).toBeUndefined();
  });

  test('is asked for anew after reconnecting, and after falling behind', async () => {
    const { world, side, room, chat } = await open();
    people(chat).room(room).presence.subscribe(() => undefined);
    await world.clock.advance(50);
    await away(world);
    await back(world);
    expect(side.said('watch')).toHaveLength(2);
    await side.tell({ type: 'behind' });
    await world.clock.advance(50);
    expect(side.said('sync')).toHaveLength(1);
    expect(side.said('watch')).toHaveLength(3);
  });

  test('the newest list counts, however often an older one is refused', async () => {
    const { world, side, room, chat } = await open();
    const other = world.server.room('hall', ['ann']);
    let refused = true;
    world.server.refuse = (frame) =>
      refused && frame.type === 'watch' ? { code: 'rate_limited', retryable: true, retry_after_ms: 400 } : undefined;
    const here = people(chat);
    here.room(room).presence.subscribe(() => undefined);
    await world.clock.advance(50);
    here.room(other).typing.subscribe(() => undefined);
    refused = false;
    await world.clock.advance(2_000);
    expect(side.said('watch').map(({ rooms }) => rooms)).toEqual([[room], [room, other]]);
    expect([...side.watching.values()].at(-1)).toEqual([room, other]);
  });

  test('at most 32 rooms are looked at: the last ones', async () => {
    const { world, side, chat } = await open();
    const rooms = Array.from({ length: 40 }, (_, index) => world.server.room(`n${index}`, ['ann']));
    const here = people(chat);
    for (const room of rooms) here.room(room).presence.subscribe(() => undefined);
    await world.clock.advance(50);
    expect(side.said('watch').at(-1)!.rooms).toEqual(rooms.slice(-32));
  });

  test('who pages through the members', async () => {
    const { side, room, chat } = await open();
    side.people = [ann, bob, cal].map((user) => ({ user, online: user === ann }));
    expect((await people(chat).room(room).who()).map(({ user }) => user)).toEqual([ann, bob, cal]);
    expect(await people(chat).room(room).who(1)).toHaveLength(1);
  });
});

describe('typing', () => {
  test('is said with the first key, again while keys come, and taken back after the last one', async () => {
    const { world, side, room, chat } = await open();
    const kitchen = people(chat).room(room);
    for (let key = 0; key < 40; key += 1) {
      kitchen.typed();
      await world.clock.advance(100);
    }
    expect(side.said('typing').map(({ on }) => on)).toEqual([true, true]);
    await world.clock.advance(1_800);
    expect(side.said('typing')).toHaveLength(2);
    await world.clock.advance(200);
    expect(side.said('typing').map(({ on }) => on)).toEqual([true, true, false]);
    kitchen.typed();
    kitchen.paused();
    kitchen.paused();
    await settle();
    expect(side.said('typing').map(({ on }) => on)).toEqual([true, true, false, true, false]);
  });

  test('a message ends it without a word, and the next key begins it anew', async () => {
    const { world, side, room, chat } = await open();
    const kitchen = people(chat).room(room);
    kitchen.typed();
    await chat.room(room).send('soup').sent;
    await settle();
    kitchen.typed();
    await settle();
    expect(side.said('typing').map(({ on }) => on)).toEqual([true, true]);
    await world.clock.advance(SAY_MS);
    expect(side.said('typing').map(({ on }) => on)).toEqual([true, true, false]);
  });

  test('without a connection nothing is said, then or later', async () => {
    const { world, side, room, chat } = await open();
    const kitchen = people(chat).room(room);
    kitchen.typed();
    await settle();
    await away(world);
    kitchen.typed();
    await back(world);
    expect(side.said('typing')).toHaveLength(1);
    kitchen.typed();
    await settle();
    expect(side.said('typing').map(({ on }) => on)).toEqual([true, true]);
  });

  test('of others goes by itself, by their message, and with the connection', async () => {
    const { world, side, room, chat } = await open();
    const { typing } = people(chat).room(room);
    typing.subscribe(() => undefined);
    await side.tell({ type: 'typing', room, users: [bob, cal], more: 1 });
    expect(typing.get()).toEqual({ users: [bob, cal], more: 1 });
    world.server.say(room, 'bob', 'said');
    await settle();
    expect(typing.get()).toEqual({ users: [cal], more: 1 });
    await world.clock.advance(SHOWN_MS - 1);
    expect(typing.get().users).toEqual([cal]);
    await world.clock.advance(1);
    expect(typing.get()).toEqual({ users: [], more: 0 });
    await side.tell({ type: 'typing', room, users: [bob], more: 0 });
    await away(world);
    expect(typing.get().users).toEqual([]);
  });
});

describe('receipts', () => {
  test('begin with where the others stand, rise with frames, and are asked for anew after reconnecting', async () => {
    const { world, side, room, chat } = await open();
    side.readers.set(room, [{ user: bob, delivered: 7, read: 5 }, { user: cal, delivered: 6, read: 0 }]);
    const { receipts } = people(chat).room(room);
    receipts.subscribe(() => undefined);
    await world.clock.advance(1);
    const of = (seq: number) => receipts.get().of(seq);
    expect([5, 6, 7, 8].map((seq) => of(seq).status)).toEqual(['delivered', 'delivered', 'sent', 'sent']);
    expect(of(5)).toEqual({ status: 'delivered', delivered: 2, read: 1, of: 2 });
    // Read implies received; what is older changes nothing.
    await side.tell({ type: 'receipt', room, members: [[cal, 6, 8], [bob, 4, 4]] });
    expect([5, 7, 8].map((seq) => of(seq).status)).toEqual(['read', 'delivered', 'sent']);
    side.readers.set(room, [{ user: bob, delivered: 8, read: 8 }, { user: cal, delivered: 8, read: 8 }]);
    await away(world);
    await back(world);
    expect(of(8).status).toBe('read');
    expect(side.said('receipts')).toHaveLength(2);
  });

  test('of a room that nobody looks at have what came by itself: enough for a direct one', async () => {
    const { world, side, room, chat } = await open();
    const direct = world.server.room('direct', ['ann', 'bob'], 'direct');
    await settle();
    await world.clock.advance(2_500);
    const here = people(chat);
    await side.tell({ type: 'receipt', room: direct, members: [[bob, 3, 2]] });
    await side.tell({ type: 'receipt', room, members: [[bob, 3, 2]] });
    expect([2, 3, 4].map((seq) => here.room(direct).receipts.get().of(seq).status)).toEqual(['read', 'delivered', 'sent']);
    expect(here.room(room).receipts.get().of(2).status).toBe('sent');
    expect(side.said('receipts')).toHaveLength(0);
  });

  test('who comes in later takes no tick away, and counts from then on', () => {
    const old = new Receipts().stand([{ user: bob, delivered: 5, read: 5 }]);
    const now = old.stand([{ user: bob, delivered: 9, read: 9 }, { user: cal, delivered: 0, read: 0 }]);
    expect([5, 6].map((seq) => now.of(seq).status)).toEqual(['read', 'sent']);
    expect(now.of(6)).toMatchObject({ read: 1, of: 2 });
    expect(now.moved([[cal, 7, 6]]).of(6).status).toBe('read');
    expect(now.stand([]).of(6)).toEqual({ status: 'sent', delivered: 0, read: 0, of: 0 });
  });

  test('somebody who comes in is asked about; many at once, once', async () => {
    const { world, side, room, chat } = await open();
    people(chat).room(room).receipts.subscribe(() => undefined);
    await world.clock.advance(1);
    for (const name of ['dan', 'eve']) {
      world.server.append(room, 'bob', { kind: 'member', body: { user: userId(name), state: 'joined', role: 'member' } });
    }
    await world.clock.advance(1_000);
    expect(side.said('receipts')).toHaveLength(2);
  });

  test('rooms where nobody is told stay with "sent", and are not asked again', async () => {
    const { world, side, room, chat } = await open();
    world.server.refuse = (frame) => (frame.type === 'receipts' ? { code: 'too_many', retryable: false } : undefined);
    const kitchen = people(chat).room(room);
    kitchen.receipts.subscribe(() => undefined);
    await world.clock.advance(60_000);
    expect(side.said('receipts')).toHaveLength(1);
    expect(kitchen.receipts.get().of(1).status).toBe('sent');
    await expect(kitchen.readers(1)).rejects.toMatchObject({ code: 'too_many' });
  });
});

describe('what one shows of oneself', () => {
  const hidden: Settings = { hide_last_seen: true, hide_online: false, hide_receipts: false, version: 3 };

  test('comes with the summary, from other devices, and from here', async () => {
    const { world, side, room } = await open();
    world.server.pass = (frame) => {
      if (frame.type === 'summary') frame.settings = hidden;
      return true;
    };
    const chat = await world.chat('bob');
    const here = people(chat);
    expect(here.settings.get()).toEqual(hidden);
    await side.tell({ type: 'settings', ...hidden, hide_online: true, version: 4 }, bob);
    await side.tell({ type: 'settings', ...hidden, version: 3 }, bob);
    expect(here.settings.get()).toMatchObject({ hide_online: true, version: 4 });
    side.readers.set(room, [{ user: ann, delivered: 9, read: 9 }]);
    const { receipts } = here.room(room);
    receipts.subscribe(() => undefined);
    await world.clock.advance(1);
    expect(receipts.get().of(9).status).toBe('read');
    side.readers.set(room, []);
    await here.set({ hide_receipts: true });
    expect(here.settings.get()).toEqual({ ...hidden, hide_online: true, hide_receipts: true, version: 5 });
    expect(receipts.get().of(9).status).toBe('sent');
    await world.clock.advance(1_000);
    expect(receipts.get().of(9)).toMatchObject({ status: 'sent', of: 0 });
  });

  test('a refusal changes nothing', async () => {
    const { world, chat } = await open();
    world.server.refuse = (frame) => (frame.type === 'settings' ? { code: 'forbidden', retryable: false } : undefined);
    const here = people(chat);
    await expect(here.set({ hide_online: true })).rejects.toMatchObject({ code: 'forbidden' });
    expect(here.settings.get()).toMatchObject({ hide_online: false, version: 0 });
  });

  test('nothing is listened to after the end', async () => {
    const { world, side, room, chat } = await open();
    const here = people(chat);
    const { presence } = here.room(room);
    presence.subscribe(() => undefined);
    here.end();
    await world.clock.advance(1_000);
    await side.tell({ type: 'presence', room, count: 1, change: 1, online: [ann] });
    expect(side.said('watch')).toEqual([]);
    expect(presence.get()).toBeUndefined();
  });
});
