import { describe, expect, test, vi } from 'vitest';

import { comeBack, silentWait, STEPS_MS, wait } from '../src/backoff.js';
import { ChatError } from '../src/errors.js';
import { memoryStore } from '../src/store.js';
import { settle } from './clock.js';
import { look, states, World } from './world.js';

describe('schedule', () => {
  test('waits are a random part of 1, 2, 4, 8, 16 s, then about a minute', () => {
    for (let at = 0; at < STEPS_MS.length; at += 1) {
      for (const chance of [0, 0.5, 0.999]) {
        expect(wait(at, () => chance)).toBeLessThan([1000, 2000, 4000, 8000, 16000][at]!);
        expect(wait(at, () => chance)).toBe(Math.floor(STEPS_MS[at]! * chance));
      }
    }
    expect(wait(5, () => 0.5)).toBeUndefined();
    expect([silentWait(() => 0), silentWait(() => 0.999)]).toEqual([30_000, 89_940]);
  });

  test('the number of a close alone says what to do', () => {
    const expected = { never: [1002, 1003, 1007, 1008, 1009, 4301, 4302], later: [4102, 4104], token: [4201, 4203], soon: [1000, 1006, 1012, 4001, 4999] };
    for (const [what, codes] of Object.entries(expected)) for (const code of codes) expect(comeBack(code)).toBe(what);
  });

  test('reconnecting, failed after five tries, silent tries, and back by itself', async () => {
    const world = new World();
    world.server.room('kitchen', ['ann']);
    const chat = await world.chat('ann');
    expect(chat.state).toBe('connected');
    await world.clock.advance(11_000);
    const seen = states(chat);
    world.random = () => 0.5;
    world.server.up = false;
    world.server.cut();
    await world.clock.advance(0);
    expect(seen.at(-1)).toEqual({ state: 'reconnecting', reason: 'closed', attempt: 1, retryInMs: 500, closeCode: 1006 });
    await world.clock.advance(20_000);
    const waits = seen.filter((one) => one.retryInMs).map((one) => one.retryInMs);
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 60_000]);
    expect(seen.at(-1)).toMatchObject({ state: 'failed', retryInMs: 60_000 });
    const tries = world.server.opened;
    await world.clock.advance(61_000);
    expect(world.server.opened).toBe(tries + 1);
    expect(seen.slice(-2).map((one) => one.state)).toEqual(['failed', 'failed']);
    world.server.up = true;
    await world.clock.advance(61_000);
    expect(seen.at(-1)).toMatchObject({ state: 'connected', reason: 'ready', attempt: 0 });
  });

  test('waking up, or a click, starts the schedule again at once', async () => {
    const world = new World();
    const chat = await world.chat('ann');
    world.server.up = false;
    world.server.cut();
    await world.clock.advance(120_000);
    expect(chat.state).toBe('failed');
    world.server.up = true;
    world.page.wake();
    await settle();
    expect(chat.state).toBe('connected');
    world.server.up = false;
    world.server.cut();
    await world.clock.advance(120_000);
    world.server.up = true;
    chat.retry();
    await settle();
    expect(chat.state).toBe('connected');
  });

  test('a hint spreads the return, "later" waits, "never" stays away', async () => {
    const world = new World();
    world.random = () => 0.25;
    const chat = await world.chat('ann');
    const seen = states(chat);
    for (const connection of world.server.connections) connection.out({ type: 'reconnect', after_ms: 3000, spread_ms: 4000 });
    await settle();
    world.server.cut(1012);
    expect(seen.at(-1)).toMatchObject({ state: 'reconnecting', reason: 'restart', retryInMs: 4000, closeCode: 1012 });
    await world.clock.advance(4001);
    expect(chat.state).toBe('connected');
    world.server.cut(4104);
    expect(seen.at(-1)).toMatchObject({ state: 'reconnecting', reason: 'later', retryInMs: 8000 });
    await world.clock.advance(8001);
    expect(chat.state).toBe('connected');
    world.server.cut(4302);
    expect(seen.at(-1)).toMatchObject({ state: 'failed', reason: 'refused', closeCode: 4302 });
    const tries = world.server.opened;
    world.page.wake();
    await world.clock.advance(600_000);
    expect(world.server.opened).toBe(tries);
    expect(seen.at(-1)?.retryInMs).toBeUndefined();
  });
});

describe('heartbeat', () => {
  test('asks after 15 s of silence, gives up 8 s later, measures the round trip', async () => {
    const world = new World();
    const chat = await world.chat('ann');
    const pings = () => world.server.got.filter((frame) => frame.type === 'ping').length;
    await world.clock.advance(14_900);
    expect(pings()).toBe(0);
    await world.clock.advance(200);
    expect(pings()).toBe(1);
    expect(chat.quality).toEqual({ rttMs: 0, level: 'good' });
    world.server.silent = true;
    await world.clock.advance(15_000);
    expect(pings()).toBe(2);
    expect(chat.state).toBe('connected');
    const seen = states(chat);
    await world.clock.advance(7800);
    expect(seen).toEqual([]);
    await world.clock.advance(300);
    expect(seen[0]).toMatchObject({ state: 'reconnecting', reason: 'silent' });
  });

  test('leaves the network alone in the background, and asks at once after waking up', async () => {
    const world = new World();
    await world.chat('ann');
    const pings = () => world.server.got.filter((frame) => frame.type === 'ping').length;
    world.page.shown = false;
    await world.clock.advance(300_000);
    expect(pings()).toBe(0);
    world.page.shown = true;
    world.page.wake();
    await settle();
    expect(pings()).toBe(1);
    await world.clock.sleep(3_600_000);
    expect(pings()).toBe(2);
  });

  test('a head that did not come by itself is fetched', async () => {
    const world = new World();
    const kitchen = world.server.room('kitchen', ['ann', 'bob']);
    const ann = look(await world.chat('ann'), kitchen);
    await settle();
    world.server.pass = (frame) => frame.type !== 'event';
    world.server.say(kitchen, 'bob', 'lost');
    await settle();
    expect(ann.texts()).toEqual([]);
    await world.clock.advance(16_000);
    expect(ann.texts()).toEqual(['lost']);
  });
});

describe('token', () => {
  test('a refused token is replaced once; a fresh one that is refused ends it', async () => {
    const world = new World();
    let asked = 0;
    world.token = async () => (asked++, 'ann');
    const chat = await world.chat('ann');
    await world.clock.advance(12_000);
    world.server.cut(4201);
    await settle();
    expect([asked, chat.state]).toEqual([2, 'connected']);
    const seen = states(chat);
    world.server.hello = () => 4202;
    world.server.cut(4203);
    await world.clock.advance(5000);
    expect(seen.at(-1)).toMatchObject({ state: 'failed', reason: 'signed_out' });
    const tries = world.server.opened;
    await world.clock.advance(600_000);
    expect(world.server.opened).toBe(tries);
  });

  test('an expiring token is renewed on the live connection', async () => {
    const world = new World();
    const chat = await world.chat('ann');
    for (const connection of world.server.connections) connection.out({ type: 'token_expiring', in_ms: 60_000 });
    await settle();
    expect(world.server.got.at(-1)).toMatchObject({ type: 'auth', token: 'ann' });
    expect(chat.state).toBe('connected');
  });

  test('a token function in trouble is asked again; one that says "signed out" is believed', async () => {
    const world = new World();
    world.server.room('kitchen', ['ann']);
    let fail = true;
    world.token = async (name) => {
      if (fail) throw new TypeError('fetch failed');
      return name;
    };
    const chat = await world.chat('ann');
    expect(chat.detail).toMatchObject({ state: 'reconnecting', reason: 'token' });
    fail = false;
    await world.clock.advance(1000);
    expect(chat.state).toBe('connected');
    world.token = async () => Promise.reject(new ChatError('signed_out'));
    await expect(world.chat('bob')).rejects.toMatchObject({ code: 'signed_out' });
  });
});

describe('connect', () => {
  test('rejects on refusal, resolves offline', async () => {
    const world = new World();
    world.server.hello = () => 4302;
    await expect(world.chat('ann')).rejects.toMatchObject({ code: 'refused' });
    world.server.up = false;
    expect((await world.chat('ann')).state).toBe('reconnecting');
  });

  test('with local state it is ready before the network is', async () => {
    const world = new World();
    const kitchen = world.server.room('kitchen', ['ann', 'bob']);
    world.server.say(kitchen, 'bob', 'yesterday');
    const store = memoryStore();
    const first = await world.chat('ann', store);
    look(first, kitchen);
    await settle();
    await first.disconnect();
    expect(first.state).toBe('disconnected');
    world.server.up = false;
    const again = await world.chat('ann', store);
    expect(again.user?.name).toBe('ann');
    expect(again.rooms()).toMatchObject([{ id: kitchen, last: { text: 'yesterday' } }]);
    const seen = look(again, kitchen);
    await settle();
    expect(seen.texts()).toEqual(['yesterday']);
  });

  test('who leaves while being told has left', async () => {
    for (const leaveAt of [1, 2]) {
      const world = new World();
      const chat = await world.chat('ann');
      let told = 0;
      chat.on('state', (state) => {
        // The first time the loss is told, the second time the try.
        if (state === 'reconnecting' && (told += 1) === leaveAt) void chat.disconnect();
      });
      const { opened } = world.server;
      world.server.cut();
      await world.clock.advance(100_000);
      expect(chat.state).toBe('disconnected');
      expect([world.server.opened - opened, world.server.connections.size]).toEqual([0, 0]);
    }
  });

  test('a listener that throws harms nobody', async () => {
    const world = new World();
    const kitchen = world.server.room('kitchen', ['ann', 'bob']);
    const ann = look(await world.chat('ann'), kitchen);
    await settle();
    const heard: string[] = [];
    const reported: unknown[] = [];
    vi.stubGlobal('reportError', (cause: unknown) => reported.push(cause));
    ann.room.on('message', () => {
      throw new Error('a bug of the page');
    });
    const stop = ann.room.on('message', (one) => heard.push(one.text));
    const abort = new AbortController();
    ann.room.on('message', (one) => heard.push('also ' + one.text), { signal: abort.signal });
    world.server.say(kitchen, 'bob', 'one');
    await settle();
    stop();
    abort.abort();
    world.server.say(kitchen, 'bob', 'two');
    await settle();
    vi.unstubAllGlobals();
    expect(reported).toHaveLength(2);
    expect(heard).toEqual(['one', 'also one']);
    expect(ann.texts()).toEqual(['one', 'two']);
  });
});
