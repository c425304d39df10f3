import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { connect } from '../src/connect.js';
import type { ServerFrame } from '../src/wire.js';
import { FakeClock, FakePage, settle } from './clock.js';

const directory = fileURLToPath(new URL('../../protocol/vectors', import.meta.url));
const files = existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith('.json')) : [];
const SERVER = new Set([
  'welcome', 'summary', 'event', 'skip', 'events', 'reset', 'page', 'caught_up', 'ack', 'ok', 'error', 'behind',
  'marker', 'token_expiring', 'reconnect', 'pong', 'room', 'members', 'profiles', 'directory',
]);
const CLIENT = new Set([
  'hello', 'auth', 'sync', 'send', 'create', 'direct', 'join', 'leave', 'add', 'remove', 'mark', 'after', 'history',
  'room', 'members', 'profiles', 'directory', 'ping',
]);

/** The SDK's own state, fed with frames as a socket brings them. */
async function feed(frames: unknown[]): Promise<string[]> {
  const problems: string[] = [];
  let deliver: ((event: { data: unknown }) => void) | null = null;
  const socket = {
    onopen: null as (() => void) | null,
    onclose: null,
    set onmessage(listener: ((event: { data: unknown }) => void) | null) {
      deliver = listener;
    },
    send: () => undefined,
    close: () => undefined,
  };
  const error = console.error;
  console.error = (cause) => problems.push(String(cause));
  const joining = connect('ws://test/ws', {
    token: async () => 't', socket: () => socket as never, clock: new FakeClock(), page: new FakePage(),
  });
  joining.catch(() => undefined);
  await settle();
  socket.onopen?.();
  await settle();
  for (const frame of frames) {
    deliver!({ data: JSON.stringify(frame) });
    await settle(2);
  }
  console.error = error;
  return problems;
}

test.skipIf(files.length === 0)('every golden frame is of a known type and can be taken in', async () => {
  for (const file of files) {
    const vectors = JSON.parse(readFileSync(`${directory}/${file}`, 'utf8')) as Array<{ name: string; frame: ServerFrame }>;
    expect(vectors.length, file).toBeGreaterThan(0);
    for (const { name, frame } of vectors) {
      expect(SERVER.has(frame.type) || CLIENT.has(frame.type), `${file}: ${name}`).toBe(true);
      if (!SERVER.has(frame.type)) continue;
      expect(await feed([frame]), `${file}: ${name}`).toEqual([]);
    }
  }
}, 60_000);
