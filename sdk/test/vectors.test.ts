import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { connect } from '../src/connect.js';
import type { ClientFrame, ServerFrame } from '../src/wire.js';
import { FakeClock, FakePage, settle } from './clock.js';

const vectors = (side: 'client' | 'server') =>
  JSON.parse(
    readFileSync(fileURLToPath(new URL(`../../protocol/vectors/${side}.json`, import.meta.url)), 'utf8'),
  ) as Array<{ name: string; frame: ServerFrame }>;

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

/** All types of a side, as the compiler knows them: a type without a golden frame does not compile or pass. */
const SERVER: Record<ServerFrame['type'], true> = {
  welcome: true, summary: true, event: true, skip: true, events: true, reset: true, page: true, caught_up: true,
  ack: true, ok: true, error: true, behind: true, marker: true, token_expiring: true, reconnect: true, pong: true,
  room: true, members: true, profiles: true, directory: true, typing: true, presence: true, who: true, settings: true,
  receipt: true, receipts: true, notify: true, blocks: true,
  invite: true, invites: true, invitation: true, edits: true, row: true, profile: true, hidden: true,
};
const CLIENT: Record<ClientFrame['type'], true> = {
  hello: true, auth: true, sync: true, send: true, create: true, direct: true, join: true, leave: true, add: true,
  remove: true, mark: true, after: true, history: true, room: true, members: true, profiles: true, directory: true,
  ping: true, edit: true, redact: true, react: true, pin: true, configure: true, ban: true, role: true, mute: true,
  typing: true, watch: true, who: true, settings: true, receipts: true, notify: true, block: true,
  invite: true, invites: true, revoke_invite: true, invitation: true, invite_user: true, edits: true, profile: true, hide: true, hidden: true,
};

test.each([['client', CLIENT], ['server', SERVER]] as const)('the golden frames of the %s are of all known types', (side, types) => {
  const seen = new Set<string>(vectors(side).map(({ frame }) => frame.type));
  expect([...seen].sort()).toEqual(Object.keys(types).sort());
});

test('every golden frame of the server can be taken in', async () => {
  for (const { name, frame } of vectors('server')) expect(await feed([frame]), name).toEqual([]);
}, 60_000);
