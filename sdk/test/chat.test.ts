import { describe, expect, test } from 'vitest';

import { add, create, direct, directory, find, join, leave, members, remove } from '../src/conversation.js';
import { settle } from './clock.js';
import { userId } from './server.js';
import { look, World } from './world.js';

describe('messages', () => {
  test('two people see each message once, in one order', async () => {
    const world = new World();
    const kitchen = world.server.room('kitchen', ['ann', 'bob']);
    const ann = look(await world.chat('ann'), kitchen);
    const bob = look(await world.chat('bob'), kitchen);
    await settle();
    const sent = ann.room.send('one');
    expect(ann.texts()).toEqual(['one']);
    expect(ann.all().at(-1)).toMatchObject({ status: 'pending', own: true });
    await settle();
    bob.room.send('two');
    await settle();
    expect(await sent.sent).toMatchObject({ seq: 2 });
    expect(sent.status).toBe('sent');
    for (const side of [ann, bob]) {
      expect(side.texts()).toEqual(['one', 'two']);
      expect(side.all().map((one) => one.seq)).toEqual([1, 2, 3]);
    }
    expect(ann.all()[1]!.key).toBe(sent.key);
  });

  test('what comes twice is shown once', async () => {
    const world = new World();
    const kitchen = world.server.room('kitchen', ['ann', 'bob']);
    const ann = look(await world.chat('ann'), kitchen);
    const heard: string[] = [];
    ann.room.on('message', (one) => heard.push(one.text));
    await settle();
    const event = world.server.say(kitchen, 'bob', 'hello');
    for (let times = 0; times < 3; times += 1) world.server.tell(userId('ann'), { type: 'event', ...event });
    await settle();
    expect(ann.texts()).toEqual(['hello']);
    expect(heard).toEqual(['hello']);
  });

  test('a hole is held and fetched with one request', async () => {
    const world = new World();
    const kitchen = world.server.room('kitchen', ['ann', 'bob']);
    const ann = look(await world.chat('ann'), kitchen);
    await settle();
    const heard: string[] = [];
    ann.room.on('message', (one) => heard.push(one.text));
    world.server.pass = (frame) => frame.type !== 'event';
    for (const text of ['a', 'b', 'c']) world.server.say(kitchen, 'bob', text);
    world.server.pass = (frame) => frame.type !== 'events';
    for (const text of ['d', 'e', 'f']) world.server.say(kitchen, 'bob', text);
    await settle();
    expect(heard).toEqual([]);
    expect(world.server.got.filter((frame) => frame.type === 'after')).toHaveLength(1);
    world.server.pass = () => true;
    world.server.cut();
    await world.clock.advance(2000);
    expect(ann.texts()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(heard).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  test('skips count as had', async () => {
    const world = new World();
    const kitchen = world.server.room('kitchen', ['ann', 'bob']);
    const ann = look(await world.chat('ann'), kitchen);
    await settle();
    world.server.say(kitchen, 'bob', 'before');
    world.server.skip(kitchen, 5);
    world.server.say(kitchen, 'bob', 'after');
    await settle();
    expect(ann.texts()).toEqual(['before', 'after']);
    expect(world.server.got.filter((frame) => frame.type === 'after')).toEqual([]);
  });

  test('edits, reactions and redactions change their line; an unknown kind has one', async () => {
    const world = new World();
    const kitchen = world.server.room('kitchen', ['ann', 'bob']);
    const ann = look(await world.chat('ann'), kitchen);
    await settle();
    const { seq } = world.server.say(kitchen, 'bob', 'helo');
    world.server.append(kitchen, 'bob', { kind: 'edit', body: { text: 'hello' } }, undefined, { target: seq });
    world.server.append(kitchen, 'ann', { kind: 'reaction', body: { emoji: '👍', on: true } }, undefined, { target: seq });
    await settle();
    expect(ann.all().at(-1)).toMatchObject({ text: 'hello', edited: true, reactions: [['👍', userId('ann')]] });
    world.server.append(kitchen, 'ann', { kind: 'reaction', body: { emoji: '👍', on: false } }, undefined, { target: seq });
    await settle();
    expect(ann.all().at(-1)?.reactions).toEqual([]);
    world.server.append(kitchen, 'bob', { kind: 'redact', body: {} }, undefined, { target: seq });
    world.server.append(kitchen, 'bob', { kind: 'poll', body: { question: '?' } } as never);
    await settle();
    expect(ann.all().slice(-2)).toMatchObject([{ text: '', redacted: true, edited: false }, { kind: 'poll' }]);
  });

  test('older pages go back to the first line', async () => {
    const world = new World();
    const kitchen = world.server.room('kitchen', ['ann', 'bob']);
    for (let at = 0; at < 120; at += 1) world.server.say(kitchen, 'bob', `m${at}`);
    const ann = look(await world.chat('ann'), kitchen);
    await settle();
    expect(ann.texts()).toHaveLength(50);
    expect(ann.room.complete).toBe(false);
    expect(await ann.room.older()).toEqual({ count: 50, more: true });
    expect(await ann.room.older()).toEqual({ count: 21, more: false });
    expect(ann.texts()).toEqual(Array.from({ length: 120 }, (_, at) => `m${at}`));
    expect(await ann.room.older()).toEqual({ count: 0, more: false });
    expect(ann.room.complete).toBe(true);
  });
});

describe('rooms', () => {
  test('unread is counted from what is held, and falls with the marker', async () => {
    const world = new World();
    const kitchen = world.server.room('kitchen', ['ann', 'bob']);
    world.server.say(kitchen, 'bob', 'one');
    const chat = await world.chat('ann');
    const other = await world.chat('ann');
    await settle();
    world.server.say(kitchen, 'bob', 'two');
    world.server.say(kitchen, 'ann', 'mine');
    await settle();
    expect(chat.rooms()).toMatchObject([{ id: kitchen, unread: 2, head: 4, last: { text: 'mine' } }]);
    chat.room(kitchen).markRead(2);
    expect(chat.rooms()[0]?.unread).toBe(1);
    await world.clock.advance(1000);
    expect(world.server.got.findLast((frame) => frame.type === 'mark' && frame.read)).toMatchObject({ read: 2 });
    expect(other.rooms()[0]).toMatchObject({ unread: 1, read: 2 });
    chat.room(kitchen).markRead();
    expect(chat.rooms()[0]?.unread).toBe(0);
  });

  test('being let in shows the room, being sent away hides it', async () => {
    const world = new World();
    const kitchen = world.server.room('kitchen', ['bob']);
    const chat = await world.chat('ann');
    expect(chat.rooms()).toEqual([]);
    const member = { user: userId('ann'), role: 'member' } as const;
    world.server.append(kitchen, 'bob', { kind: 'member', body: { ...member, state: 'joined' } });
    await settle();
    expect(chat.rooms()).toMatchObject([{ id: kitchen, state: 'joined' }]);
    world.server.append(kitchen, 'bob', { kind: 'member', body: { ...member, state: 'removed' } });
    await settle();
    expect(chat.rooms()).toEqual([]);
  });

  test('no position vouches for a room whose row has not come', async () => {
    const world = new World();
    const kitchen = world.server.room('kitchen', ['bob']);
    const chat = await world.chat('ann');
    world.server.pass = (frame) => frame.type !== 'room';
    const member = { user: userId('ann'), role: 'member', state: 'joined' } as const;
    world.server.append(kitchen, 'bob', { kind: 'member', body: member });
    await world.clock.advance(15_000);
    expect(world.server.got.at(-1)?.type).toBe('ping');
    world.server.pass = () => true;
    world.server.cut();
    await world.clock.advance(3000);
    expect(chat.rooms()).toMatchObject([{ id: kitchen }]);
  });

  test('a new room is made under one key, however often it is asked', async () => {
    const world = new World();
    const chat = await world.chat('ann');
    let refusals = 0;
    world.server.refuse = (frame) =>
      frame.type === 'create' && refusals++ < 2 ? { code: 'unavailable', retryable: true, retry_after_ms: 100 } : undefined;
    const making = create(chat, 'group', 'garden');
    await world.clock.advance(1000);
    const room = await making;
    const keys = world.server.got.flatMap((frame) => (frame.type === 'create' ? [frame.key] : []));
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^k_[a-z2-7]{26}$/);
    await settle();
    expect(chat.rooms().map((one) => one.id)).toEqual([room]);
  });

  test('people are found by name, and authors become known', async () => {
    const world = new World();
    const kitchen = world.server.room('kitchen', ['ann', 'bob']);
    const chat = await world.chat('ann');
    expect(await find(chat, 'carl')).toMatchObject({ id: userId('carl') });
    world.server.say(kitchen, 'bob', 'hello');
    await world.clock.advance(100);
    expect(chat.profile(userId('bob'))).toMatchObject({ name: 'b' + 'ob' });
  });

  test('joining, leaving, adding and removing reach everybody, and a refusal is told', async () => {
    const world = new World();
    const hall = world.server.room('hall', ['bob'], 'public');
    const ann = await world.chat('ann');
    const bob = await world.chat('bob');
    await join(ann.room(hall));
    await settle();
    expect(ann.rooms()).toMatchObject([{ id: hall, state: 'joined' }]);
    expect(bob.rooms()[0]?.members).toBe(2);
    await expect(join(ann.room(hall))).rejects.toMatchObject({ code: 'already_member' });
    await leave(ann.room(hall));
    await settle();
    expect(ann.rooms()).toEqual([]);
    expect(bob.rooms()[0]?.members).toBe(1);
    await add(bob.room(hall), userId('ann'));
    await settle();
    expect(ann.rooms()).toMatchObject([{ id: hall }]);
    await remove(bob.room(hall), userId('ann'));
    await settle();
    expect(ann.rooms()).toEqual([]);
    await expect(remove(bob.room(hall), userId('ann'))).rejects.toMatchObject({ code: 'not_member', retryable: false });
  });

  test('a direct room is there for both', async () => {
    const world = new World();
    const ann = await world.chat('ann');
    const room = await direct(ann, userId('bob'));
    await settle();
    expect(ann.rooms()).toMatchObject([{ id: room, kind: 'direct', members: 2 }]);
    expect((await world.chat('bob')).rooms()).toMatchObject([{ id: room, kind: 'direct' }]);
  });

  test('lists of people and of public rooms come whole, page by page', async () => {
    const world = new World();
    const names = ['ann', 'bob', 'carl', 'dora', 'emil'];
    const hall = world.server.room('hall', names, 'public');
    for (const name of ['x', 'y']) world.server.room(name, ['bob'], 'public');
    world.server.room('z', ['bob']);
    const chat = await world.chat('ann');
    expect((await members(chat.room(hall))).map(({ user }) => user)).toEqual(names.map(userId));
    expect((await directory(chat)).map(({ name }) => name)).toEqual(['hall', 'x', 'y']);
    expect(world.server.got.filter(({ type }) => type === 'members')).toHaveLength(3);
  });

  /** Its room waits on this connection until it comes again, whether anybody still asks for it or not. */
  test('a command that was given up holds nothing up, and is forgotten with its connection', async () => {
    const world = new World();
    const kitchen = world.server.room('kitchen', ['ann', 'bob']);
    const ann = look(await world.chat('ann'), kitchen);
    await settle();
    const adds = () => world.server.got.filter((frame) => frame.type === 'add').length;
    for (const cut of [false, true]) {
      const text = cut ? 'after a cut' : 'after all';
      world.server.refuse = (frame) => (frame.type === 'add' ? { code: 'unavailable', retryable: true } : undefined);
      const added = expect(add(ann.room, userId(cut ? 'dan' : 'cal'))).rejects.toMatchObject({ code: 'timeout' });
      await world.clock.advance(40_000);
      await added;
      world.server.refuse = () => undefined;
      if (cut) world.server.cut();
      const asked = adds();
      ann.room.send(text);
      await world.clock.advance(5000);
      expect(world.server.texts(kitchen)).toContain(text);
      expect(adds() - asked).toBe(cut ? 0 : 1);
    }
  });
});
