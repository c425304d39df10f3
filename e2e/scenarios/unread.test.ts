// Server, SDK and a naive recount agree on what is unread, over random histories with edits, deletions, mentions,
// people who are sent away and come back, people who block each other, and devices that are off for a while
// (contract, section 6).
import { expect, test } from 'vitest';

import * as say from '../../sdk/src/conversation.js';
import type { Event } from '../../sdk/src/wire.js';
import { type Device, type Person, Town, until } from './town.js';

/** Each is a history of its own. A seed that failed once stays in the list. */
const SEEDS = [1, 2, 3, 4, 5, 6];
const STEPS = 120;

/** Numbers below `bound`, the same for the same seed (Mulberry32, by Tommy Ettinger). */
function dice(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

/** What the contract says, with nothing but the log, the marker and whom the user has blocked. */
function recount(log: Event[], user: string, blocked: Set<string>, read: number, since: number): { unread: number; mentions: number } {
  const gone = new Set(log.flatMap(({ kind, target }) => (kind === 'redact' ? [target] : [])));
  const countable = log.filter(({ kind, from: [author], seq }) =>
    kind === 'message' && author !== user && !blocked.has(author) && !gone.has(seq) && seq > Math.max(read, since));
  const calls = countable.filter(({ mentions = [] }) => mentions.includes('room') || mentions.includes(user));
  return { unread: countable.length, mentions: calls.length };
}

test.each(SEEDS)('server, SDK and a naive recount agree on history %i', async (seed) => {
  const town = await Town.found(`unread-${seed}`);
  const roll = dice(seed);
  const [ann, ben, cat] = [await town.person('Ann'), await town.person('Ben'), await town.person('Cat')];
  const anns = [await ann.device('phone').on(), await ann.device('laptop').on()];
  const bens = [await ben.device('phone').on(), await ben.device('laptop').on()];
  const cats = [await cat.device('phone').on(), await cat.device('laptop').on()];
  const owner = anns[0]!;
  const room = await say.create(owner.chat, 'group', 'Harbour');
  const inside = new Set([ann]);
  const walls = new Map([ann, ben, cat].map((person) => [person, new Set<string>()]));
  const people: Array<[Person, Device[]]> = [[ann, anns], [ben, bens], [cat, cats]];
  const isIn = async (device: Device) => until(`${device.name} sees the room`, () => device.room(room).info.get()?.state === 'joined');

  for (let step = 0; step < STEPS; step += 1) {
    const [person, devices] = people[roll(3)]!;
    const device = devices[roll(2)]!;
    const act = roll(20);
    if (person === ann && act >= 18) {
      const [other, theirs] = people[1 + roll(2)]!;
      if (inside.delete(other)) await say.remove(owner.room(room), other.id);
      else {
        const apart = walls.get(ann)!.has(other.id) || walls.get(other)!.has(ann.id);
        const guest = theirs.find(({ isOn }) => isOn);
        // Whoever is kept apart from somebody cannot be put anywhere by them, but may come by a link.
        if (!apart) await say.add(owner.room(room), other.id);
        else if (guest) {
          const { token } = await owner.chat.ask({ type: 'invite', room });
          await guest.chat.command({ type: 'join', room, invite: token });
        } else continue;
        inside.add(other);
        for (const one of theirs) if (one.isOn) await isIn(one);
      }
    } else if (person !== ann && act >= 17) {
      await (device.isOn ? device.off() : device.on());
    } else if (device.isOn && act === 16) {
      const other = people[roll(3)]![0];
      const blocked = walls.get(person)!;
      if (other === person) continue;
      const on = !blocked.delete(other.id);
      if (on) blocked.add(other.id);
      await device.chat.ask({ type: 'block', user: other.id, on });
    } else if (device.isOn && inside.has(person)) {
      await isIn(device);
      const log = await owner.log(room);
      const since = (await device.row(room)).me.since;
      const messages = log.filter(({ kind, seq }) => kind === 'message' && seq > since);
      const any = messages[roll(messages.length || 1)];
      const own = messages.filter(({ from: [author] }) => author === person.id).at(-1);
      const who = people[roll(3)]![0];
      if (act < 9) {
        const mentions = [[], [], [who.id], ['room'], ['room', who.id]][roll(5)]!;
        await device.room(room).send(`${step}`, { mentions }).sent;
      } else if (act < 11 && own) {
        // Whoever has deleted it meanwhile has the last word.
        await say.edit(device.room(room), own.seq, `${step} at last`).sent.catch(() => undefined);
      } else if (act < 13 && (person === ann ? any : own)) {
        await say.redact(device.room(room), (person === ann ? any : own)!.seq).sent;
      } else if (act < 14 && any) {
        await say.react(device.room(room), any.seq, '👍').sent.catch(() => undefined);
      } else if (any) {
        await until('it is here', () => (device.room(room).info.get()?.head ?? 0) >= any.seq);
        await device.lines(room);
        device.room(room).markRead(any.seq);
      }
    }
  }
  const happened = new Set((await owner.log(room)).map(({ kind }) => kind));
  expect([...happened].sort(), 'the history is not idle').toEqual(expect.arrayContaining(['edit', 'member', 'message', 'redact']));
  for (const [person, devices] of people) {
    for (const device of devices) if (!device.isOn) await device.on();
    if (!inside.has(person)) continue;
    const log = await owner.log(room);
    const head = log.at(-1)!.seq;
    for (const device of devices) {
      await isIn(device);
      await until(`${device.name} has all`, () => device.room(room).info.get()!.head >= head);
    }
    await until(`the devices of ${person.name} and the server agree`, async () => {
      const rows = await Promise.all(devices.map((device) => device.row(room)));
      const reads = [...rows.map(({ me }) => me.read), ...devices.map((device) => device.room(room).info.get()!.read)];
      return new Set(reads).size === 1;
    });
    const { me } = await devices[0]!.row(room);
    const naive = recount(log, person.id, walls.get(person)!, me.read, me.since);
    expect({ unread: me.unread, mentions: me.mentions ?? 0 }, `the server, for ${person.name}`).toEqual(naive);
    for (const device of devices) {
      const told = () => {
        const { unread, mentions } = device.room(room).info.get()!;
        return { unread, mentions };
      };
      await until(`${device.name} counts ${JSON.stringify(naive)}`, () => JSON.stringify(told()) === JSON.stringify(naive)).catch(() => undefined);
      expect(told(), device.name).toEqual(naive);
    }
  }
  for (const [, devices] of people) for (const device of devices) await device.off();
});
