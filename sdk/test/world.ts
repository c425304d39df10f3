/** A server, a clock, and chats that share them. */

import { afterEach } from 'vitest';

import { connect } from '../src/connect.js';
import type { Store } from '../src/store.js';
import type { Chat, Message, Room, StateDetail } from '../src/types.js';
import { FakeClock, FakePage, settle } from './clock.js';
import { FakeServer } from './server.js';

const open = new Set<Chat>();

afterEach(async () => {
  for (const chat of open) await chat.disconnect();
  open.clear();
});

export class World {
  readonly server = new FakeServer();
  readonly clock = new FakeClock();
  readonly page = new FakePage();
  /** What chance gives; keys need it to differ. */
  random = () => Math.random();
  token = async (name: string): Promise<string> => name;

  async chat(name: string, store?: Store): Promise<Chat> {
    const joining = connect('ws://test/ws', {
      token: () => this.token(name),
      ...(store && { store }),
      socket: this.server.socket,
      clock: this.clock,
      random: () => this.random(),
      page: this.page,
    });
    joining.catch(() => undefined);
    await settle();
    const chat = await joining;
    open.add(chat);
    await settle();
    return chat;
  }
}

/** Looks at a room, as a page does. */
export function look(chat: Chat, id: string): { room: Room; texts: () => string[]; all: () => readonly Message[] } {
  const room = chat.room(id);
  room.messages.subscribe(() => undefined);
  const all = () => room.messages.get();
  return { room, all, texts: () => all().flatMap((one) => (one.kind === 'message' ? [one.text] : [])) };
}

export function states(chat: Chat): StateDetail[] {
  const seen: StateDetail[] = [];
  chat.on('state', (_state, detail) => seen.push(detail));
  return seen;
}
