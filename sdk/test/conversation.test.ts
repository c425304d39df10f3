import { describe, expect, test } from 'vitest';

import { configure, edit, mute, pin, react, redact, setRole } from '../src/conversation.js';
import { memoryStore } from '../src/store.js';
import type { Message } from '../src/types.js';
import type { Body, Folded } from '../src/wire.js';
import { settle } from './clock.js';
import { userId } from './server.js';
import { look, World } from './world.js';

async function open() {
  const world = new World();
  const kitchen = world.server.room('kitchen', ['ann', 'bob']);
  const store = memoryStore();
  const ann = look(await world.chat('ann', store), kitchen);
  const bob = look(await world.chat('bob'), kitchen);
  await settle();
  const seqs: number[] = [];
  for (const text of ['one', 'two', 'three']) seqs.push((await ann.room.send(text).sent).seq);
  await settle();
  const line = (of: typeof ann, seq: number) => of.all().find((one) => one.seq === seq)!;
  return { world, kitchen, store, ann, bob, seqs, line };
}

const away = (world: World) => {
  world.server.up = false;
  world.server.cut();
};
const back = (world: World) => {
  world.server.up = true;
  return world.clock.advance(3000);
};

describe('commands about messages', () => {
  test('made offline they show at once, survive a reload, and converge', async () => {
    const { world, kitchen, store, ann, bob, seqs, line } = await open();
    const [one, two, three] = seqs as [number, number, number];
    away(world);
    edit(ann.room, one, 'ONE');
    redact(ann.room, two);
    react(ann.room, three, '👍');
    ann.room.send('four', { replyTo: one, mentions: ['room'] });
    await settle();
    expect(ann.texts()).toEqual(['ONE', '', 'three', 'four']);
    expect(line(ann, three).reactions).toEqual([['👍', userId('ann')]]);
    expect(line(ann, two)).toMatchObject({ redacted: true, changes: [{ frame: { type: 'redact' }, status: 'pending' }] });
    expect(ann.all().at(-1)).toMatchObject({ status: 'pending', replyTo: one, mentions: ['room'] });
    expect(bob.texts()).toEqual(['one', 'two', 'three']);
    // Another page of the same device, still without a server.
    const again = look(await world.chat('ann', store), kitchen);
    await settle();
    expect(again.texts()).toEqual(['ONE', '', 'three', 'four']);
    await back(world);
    await world.clock.advance(6000);
    for (const who of [ann, bob, again]) {
      expect(who.texts()).toEqual(['ONE', '', 'three', 'four']);
      expect(who.all().flatMap(({ changes }) => changes)).toEqual([]);
    }
    expect(line(bob, three).reactions).toEqual([['👍', userId('ann')]]);
    expect(bob.all().at(-1)).toMatchObject({ replyTo: one, mentions: ['room'] });
    expect(await store.waiting()).toEqual([]);
  });

  test('what is refused is taken back with its reason, until it is tried again or given up', async () => {
    const { world, ann, seqs, line } = await open();
    const [one] = seqs as [number];
    let refused = true;
    world.server.refuse = (frame) => (refused && frame.type === 'edit' ? { code: 'muted', retryable: false } : undefined);
    await expect(edit(ann.room, one, 'ONE').sent).rejects.toMatchObject({ code: 'muted' });
    await settle();
    expect(line(ann, one)).toMatchObject({ text: 'one', edited: false, changes: [{ status: 'failed', error: { code: 'muted' } }] });
    refused = false;
    ann.room.resend(line(ann, one).changes[0]!.key);
    await settle();
    expect(line(ann, one)).toMatchObject({ text: 'ONE', edited: true, changes: [] });
    refused = true;
    edit(ann.room, one, 'again');
    await settle();
    ann.room.discard(line(ann, one).changes[0]!.key);
    await settle();
    expect(line(ann, one)).toMatchObject({ text: 'ONE', changes: [] });
  });

  test('deleting what is gone is done; changing it is not', async () => {
    const { world, kitchen, ann, seqs, line } = await open();
    const [one] = seqs as [number];
    away(world);
    const deleted = redact(ann.room, one);
    const changed = edit(ann.room, one, 'too late');
    changed.sent.catch(() => undefined);
    world.server.append(kitchen, 'bob', { kind: 'redact', body: {} }, undefined, { target: one });
    await back(world);
    await expect(deleted.sent).resolves.toBeDefined();
    await expect(changed.sent).rejects.toMatchObject({ code: 'gone' });
    expect(line(ann, one)).toMatchObject({ text: '', redacted: true });
    expect(line(ann, one).changes.at(-1)).toMatchObject({ frame: { type: 'edit' }, status: 'failed' });
  });
});

test('rows follow what events say: name, topic, pins, role, voice', async () => {
  const { ann, bob, seqs } = await open();
  const [one, two] = seqs as [number, number];
  await configure(ann.room, { name: 'Galley', topic: 'Soup' });
  for (const seq of [one, two]) pin(ann.room, seq);
  await setRole(ann.room, userId('bob'), 'admin');
  await mute(ann.room, userId('bob'));
  await settle();
  redact(ann.room, one);
  await settle();
  expect(bob.room.info.get()).toMatchObject({ name: 'Galley', topic: 'Soup', pins: [two], role: 'admin', muted: true });
  expect(ann.room.info.get()).toMatchObject({ name: 'Galley', topic: 'Soup', pins: [two], role: 'member' });
});

/** Numbers that look like chance, the same for the same seed. */
function chance(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** What the reader is to see, without what differs by how it came. */
const plain = ({ seq, kind, text, redacted, edited, reactions, replyTo, mentions }: Message) =>
  ({ seq, kind, text, redacted, edited, reactions: [...reactions].sort(), replyTo, mentions });
const folded = (line: Folded) => ({
  seq: line.seq, kind: line.kind, text: line.kind === 'message' ? line.body.text : '', redacted: line.redacted !== undefined,
  edited: line.edited !== undefined, reactions: line.reactions ?? [], replyTo: line.reply_to, mentions: line.mentions ?? [],
});

/** One random event of a room that lives. */
function happens(world: World, room: string, random: () => number): void {
  const { server } = world;
  const log = server.rooms.get(room)!;
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
  const from = pick(['ann', 'bob', 'bob'])!;
  const standing = log.events.flatMap((one) =>
    'kind' in one && one.kind === 'message' && one.body.text !== '' ? [one.seq] : []);
  // Now and then one of long ago.
  const target = random() < 0.3 ? pick(standing) : pick(standing.slice(-5));
  const about = (body: Body) => target && server.append(room, from, body, undefined, { target });
  const dice = random();
  if (dice < 0.45 || !target) {
    const mentions = random() < 0.4 ? [pick(['room', userId('ann'), userId('bob')])!] : undefined;
    server.say(room, from, `m${log.events.length}`, undefined, { ...(mentions && { mentions }), ...(target && random() < 0.3 && { reply_to: target }) });
  } else if (dice < 0.55) about({ kind: 'edit', body: { text: `e${log.events.length}` } });
  else if (dice < 0.68) about({ kind: 'redact', body: {} });
  else if (dice < 0.8) about({ kind: 'reaction', body: { emoji: pick(['👍', '👎'])!, on: random() < 0.7 } });
  else if (dice < 0.86) about({ kind: 'pin', body: { on: random() < 0.7 } });
  else if (dice < 0.92) server.append(room, 'bob', { kind: 'settings', body: random() < 0.5 ? { name: `n${dice}` } : { topic: `t${dice}` } });
  else server.append(room, 'bob', { kind: 'role', body: { user: userId('ann'), role: pick(['member', 'admin'] as const)!, muted: random() < 0.5 } });
}

/** What everybody must agree about. */
function agree(world: World, room: string, of: ReturnType<typeof look>, seed: number): void {
  const { server } = world;
  const log = server.rooms.get(room)!;
  const all = server.folded(log, Infinity, Infinity).map(folded);
  const held = of.all().map(plain);
  expect(held, `lines, seed ${seed}`).toEqual(all.slice(all.length - held.length));
  const row = server.row(log, userId('ann'));
  const info = of.room.info.get()!;
  expect({ unread: info.unread, mentions: info.mentions }, `counts, seed ${seed}`)
    .toEqual({ unread: row.me.unread, mentions: row.me.mentions ?? 0 });
  expect({ name: info.name, topic: info.topic, pins: info.pins ?? [], role: info.role, muted: info.muted ?? false }, `row, seed ${seed}`)
    .toEqual({ name: row.name, topic: row.topic, pins: row.pins ?? [], role: row.me.role, muted: row.me.muted ?? false });
}

test('random histories: whatever way the events came, lines, counts and rows are as the server has them', async () => {
  for (let seed = 0; seed < 60; seed += 1) {
    const random = chance(seed * 7919);
    const world = new World();
    const room = world.server.room('kitchen', ['ann', 'bob']);
    const store = memoryStore();
    world.server.streamMax = random() < 0.2 ? 20 : 1000;
    for (let count = random() * 300; count > 0; count -= 1) happens(world, room, random);
    const chat = await world.chat('ann', store);
    const ann = look(chat, room);
    await settle();
    for (let step = 0; step < 6; step += 1) {
      // Frames are lost on the way, without a word.
      const lost = random() < 0.3 ? 0.4 : 0;
      world.server.pass = (frame) => frame.type !== 'event' || random() >= lost;
      const isAway = random() < 0.3;
      if (isAway) away(world);
      for (let count = random() * 12; count > 0; count -= 1) happens(world, room, random);
      await settle();
      if (isAway) await back(world);
      world.server.pass = () => true;
      if (random() < 0.3) await ann.room.older();
      // Read is what one has seen: a line of the window.
      const seen = ann.all()[Math.floor(random() * ann.all().length)];
      if (random() < 0.3 && seen?.seq) ann.room.markRead(seen.seq);
      // A heartbeat shows what was lost; what was read is told.
      await world.clock.advance(20_000);
      await settle();
      agree(world, room, ann, seed);
    }
    const fresh = look(await world.chat('ann'), room);
    await settle();
    agree(world, room, fresh, seed);
    await chat.disconnect();
  }
}, 60_000);
