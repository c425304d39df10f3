import { describe, expect, test } from 'vitest';

import { memoryStore } from '../src/store.js';
import { settle } from './clock.js';
import { look, World } from './world.js';

async function open(members = ['ann', 'bob']) {
  const world = new World();
  const kitchen = world.server.room('kitchen', members);
  const store = memoryStore();
  const chat = await world.chat('ann', store);
  const ann = look(chat, kitchen);
  await settle();
  const keys = () => world.server.got.flatMap((frame) => (frame.type === 'send' ? [frame.key] : []));
  return { world, kitchen, store, chat, ann, keys };
}

/** The texts that have left, in the order in which they did. */
const sends = (world: World) => world.server.got.flatMap((frame) => (frame.type === 'send' ? [frame.text] : []));

describe('outbox', () => {
  test('a lost ack is repaired by the same key after five seconds', async () => {
    const { world, kitchen, ann, keys } = await open();
    world.server.pass = (frame) => frame.type !== 'ack' && frame.type !== 'event';
    const sent = ann.room.send('hello');
    await world.clock.advance(4900);
    expect(keys()).toHaveLength(1);
    world.server.pass = (frame) => frame.type !== 'event';
    await world.clock.advance(200);
    expect(keys()).toEqual([sent.key, sent.key]);
    expect(sent.status).toBe('sent');
    expect(world.server.texts(kitchen)).toEqual(['hello']);
    expect(ann.texts()).toEqual(['hello']);
  });

  test('messages of an offline hour go out in order, once', async () => {
    const { world, kitchen, ann } = await open();
    world.server.up = false;
    world.server.cut();
    await settle();
    const texts = Array.from({ length: 30 }, (_, at) => `m${at}`);
    for (const text of texts) ann.room.send(text);
    await world.clock.advance(3_600_000);
    expect(ann.texts()).toEqual(texts);
    world.server.up = true;
    await world.clock.advance(100_000);
    expect(world.server.texts(kitchen)).toEqual(texts);
    expect(ann.texts()).toEqual(texts);
    expect(ann.all().every((one) => one.status === 'sent')).toBe(true);
  });

  test('a connection lost before the ack does not double', async () => {
    const { world, kitchen, ann, keys } = await open();
    world.server.pass = (frame) => frame.type !== 'ack' && frame.type !== 'event';
    const sent = ann.room.send('once');
    await settle();
    world.server.pass = () => true;
    world.server.cut();
    await world.clock.advance(3000);
    expect(new Set(keys())).toEqual(new Set([sent.key]));
    expect(world.server.texts(kitchen)).toEqual(['once']);
    expect(ann.texts()).toEqual(['once']);
    expect((await sent.sent).seq).toBe(2);
  });

  test('after a refusal for now it goes on from the refused one, in order', async () => {
    const { world, kitchen, ann } = await open();
    let limited = true;
    world.server.refuse = (frame) =>
      limited && frame.type === 'send' && frame.text === 'm2'
        ? { code: 'rate_limited', retryable: true, retry_after_ms: 700 }
        : undefined;
    const texts = Array.from({ length: 12 }, (_, at) => `m${at}`);
    for (const text of texts) ann.room.send(text);
    await world.clock.advance(600);
    expect(world.server.texts(kitchen)).toEqual(['m0', 'm1']);
    limited = false;
    await world.clock.advance(5000);
    expect(world.server.texts(kitchen)).toEqual(texts);
    expect(ann.texts()).toEqual(texts);
  });

  test('what is refused for now is sent again from the refused one on, each once, while other rooms go on', async () => {
    const { world, kitchen, chat, ann } = await open();
    const hall = world.server.room('hall', ['ann']);
    await settle();
    let limited = true;
    world.server.refuse = (frame) =>
      limited && frame.type === 'send' && frame.text === 'm1'
        ? { code: 'unavailable', retryable: true, retry_after_ms: 700 }
        : undefined;
    const codes: string[] = [];
    world.server.pass = (frame) => {
      if (frame.type === 'error') codes.push(frame.code);
      return true;
    };
    const texts = ['m0', 'm1', 'm2', 'm3'];
    for (const text of texts) ann.room.send(text);
    await settle();
    expect(codes).toEqual(['unavailable', 'retry_in_order', 'retry_in_order']);
    limited = false;
    world.server.got.length = 0;
    chat.room(hall).send('elsewhere');
    ann.room.send('m4');
    await world.clock.advance(600);
    expect(sends(world)).toEqual(['elsewhere']);
    await world.clock.advance(5000);
    expect(sends(world)).toEqual(['elsewhere', 'm1', 'm2', 'm3', 'm4']);
    expect(world.server.texts(kitchen)).toEqual([...texts, 'm4']);
    expect(ann.all().every((one) => one.status === 'sent')).toBe(true);
  });

  test('a refusal that is lost on its way does not change the order', async () => {
    const { world, kitchen, ann } = await open();
    let limited = true;
    world.server.refuse = (frame) =>
      limited && frame.type === 'send' && frame.text === 'm1' ? { code: 'rate_limited', retryable: true } : undefined;
    let lost = 0;
    world.server.pass = (frame) => {
      const about = frame.type === 'error' && world.server.got.find((one) => one.type === 'send' && one.req === frame.req);
      return !(about && about.type === 'send' && about.text === 'm2' && (lost += 1) === 1);
    };
    const texts = ['m0', 'm1', 'm2', 'm3'];
    for (const text of texts) ann.room.send(text);
    await settle();
    limited = false;
    await world.clock.advance(20_000);
    expect(lost).toBeGreaterThan(0);
    expect(world.server.texts(kitchen)).toEqual(texts);
  });

  test('one that turns out to be stored is not sent again, and those behind it go out in order', async () => {
    const { world, kitchen, ann } = await open();
    world.server.refuse = (frame) =>
      frame.type === 'send' && frame.text === 'm1' ? { code: 'unavailable', retryable: true } : undefined;
    const texts = ['m0', 'm1', 'm2', 'm3'];
    const [, unknown] = texts.map((text) => ann.room.send(text));
    await settle();
    expect(sends(world)).toEqual(texts);
    world.server.got.length = 0;
    // The commit of which nobody knew had happened: its event comes from elsewhere.
    world.server.say(kitchen, 'ann', 'm1', unknown!.key);
    await settle();
    expect(unknown!.status).toBe('sent');
    await world.clock.advance(10_000);
    expect(sends(world)).toEqual(['m2', 'm2', 'm3']);
    expect(world.server.texts(kitchen)).toEqual(texts);
    expect(ann.texts()).toEqual(texts);
  });

  test('a refusal for good is shown, kept over a reload, and can be sent again under a new key', async () => {
    const { world, kitchen, store, chat, ann } = await open();
    world.server.refuse = (frame) => (frame.type === 'send' ? { code: 'forbidden', retryable: false } : undefined);
    const sent = ann.room.send('no');
    const refused = expect(sent.sent).rejects.toMatchObject({ code: 'forbidden' });
    await settle();
    await refused;
    expect(ann.all().at(-1)).toMatchObject({ status: 'failed', error: { code: 'forbidden' } });
    await chat.disconnect();
    world.server.refuse = () => undefined;
    const again = look(await world.chat('ann', store), kitchen);
    await settle();
    expect(again.all().at(-1)).toMatchObject({ text: 'no', status: 'failed', error: { code: 'forbidden' } });
    const second = again.room.resend(sent.key)!;
    await settle();
    expect(second.key).not.toBe(sent.key);
    expect(second.status).toBe('sent');
    expect(again.texts()).toEqual(['no']);
    expect(world.server.texts(kitchen)).toEqual(['no']);
    expect(await store.waiting()).toEqual([]);
  });

  test('a key used for something else ends in conflict, and can be thrown away', async () => {
    const { world, store, ann } = await open();
    world.server.refuse = (frame) => (frame.type === 'send' ? { code: 'conflict', retryable: false } : undefined);
    const { key } = ann.room.send('other');
    await settle();
    expect(ann.all().at(-1)).toMatchObject({ status: 'failed', error: { code: 'conflict' } });
    ann.room.discard(key);
    await settle();
    expect(ann.texts()).toEqual([]);
    expect(await store.waiting()).toEqual([]);
  });

  test('what would end the connection never leaves', async () => {
    const { world, ann, keys } = await open();
    for (const text of ['x'.repeat(65_500), '\u0001'.repeat(16_000)]) {
      expect(ann.room.send(text).status).toBe('failed');
    }
    ann.room.send('half \ud800 pair');
    await world.clock.advance(10_000);
    expect(keys()).toHaveLength(1);
    expect(ann.texts()).toContain('half \ufffd pair');
  });

  test('a reload sends what waited, first of all and under its key', async () => {
    const { world, kitchen, store, chat, ann, keys } = await open();
    world.server.up = false;
    world.server.cut();
    await settle();
    const first = ann.room.send('before the reload');
    await settle();
    await chat.disconnect();
    const again = await world.chat('ann', store);
    const seen = look(again, kitchen);
    await settle();
    expect(seen.texts()).toEqual(['before the reload']);
    seen.room.send('after it');
    world.server.up = true;
    await world.clock.advance(3000);
    expect(world.server.texts(kitchen)).toEqual(['before the reload', 'after it']);
    expect(keys()[0]).toBe(first.key);
  });
});
