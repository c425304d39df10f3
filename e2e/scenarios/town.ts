// A town: a real server, people in it, and devices of theirs that come and go, each with the real SDK.
//
// What a device stores outlives its connections, as on a phone. Nothing here knows what a scenario is about.
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

import { connect } from '../../sdk/src/connect.js';
import type { OpenSocket } from '../../sdk/src/env.js';
import { memoryStore, type Store } from '../../sdk/src/store.js';
import type { Chat, Message, Room } from '../../sdk/src/types.js';
import type { Event, Item, RoomRow } from '../../sdk/src/wire.js';
import { Server } from '../lib/server.mjs';

/** What is not so by then will not be. */
const PATIENCE_MS = 20_000;

const socket: OpenSocket = (url, protocol) => {
  const made = new WebSocket(url, protocol);
  // Unheard it would end the process; a browser tells of it by `close` alone.
  made.on('error', () => undefined);
  return made as unknown as ReturnType<OpenSocket>;
};

/** Waits for something that takes a moment. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`still not so: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export class Town {
  private constructor(readonly server: Server) {}

  /** A fresh server; it ends with the test. Nobody here waits for the rate limit. */
  static async found(name: string): Promise<Town> {
    const server = await Server.fresh(name, ['limits.rate_per_second=1000', 'limits.rate_burst=1000']);
    onTestFinished(() => server.stop());
    return new Town(server);
  }

  async person(name: string): Promise<Person> {
    const account = { name, password: `${name} likes long passwords`, cookie: false };
    const { user } = await this.server.post('register', account);
    return new Person(this, name, user.id, account);
  }

  get url(): string {
    return `ws://127.0.0.1:${this.server.port}/ws`;
  }
}

export class Person {
  constructor(readonly town: Town, readonly name: string, readonly id: string, readonly account: object) {}

  async token(): Promise<string> {
    return (await this.town.server.post('login', this.account)).access_token;
  }

  device(name: string): Device {
    return new Device(this, `${this.name}'s ${name}`);
  }
}

/** An install: what it stores stays, its connection comes and goes. */
export class Device {
  readonly #store: Store = memoryStore();
  #chat: Chat | undefined;

  constructor(readonly owner: Person, readonly name: string) {}

  get isOn(): boolean {
    return this.#chat !== undefined;
  }

  get chat(): Chat {
    if (!this.#chat) throw new Error(`${this.name} is off`);
    return this.#chat;
  }

  room(id: string): Room {
    return this.chat.room(id);
  }

  /** Switched on, and everything missed has arrived. `server` may be down: then it is on and offline. */
  async on({ offline = false } = {}): Promise<this> {
    // Whoever is offline dials a port that nobody listens on.
    const url = offline ? 'ws://127.0.0.1:1/ws' : this.owner.town.url;
    this.#chat = await connect(url, { token: () => this.owner.token(), store: this.#store, socket });
    if (!offline) await this.online();
    return this;
  }

  async online(): Promise<void> {
    await until(`${this.name} is connected`, () => this.chat.state === 'connected');
  }

  /** Switched off: what it has stays on it. */
  async off(): Promise<void> {
    await this.#chat?.disconnect();
    this.#chat = undefined;
  }

  /** The row of a room as the server has it now. */
  async row(room: string): Promise<RoomRow> {
    return (await this.chat.ask({ type: 'room', room })).row;
  }

  /** Every event of a room that its owner may see, as it is stored; what may not be seen is left out. */
  async log(room: string): Promise<Event[]> {
    const log: Item[] = [];
    for (let seq = 0; ; ) {
      const answer = await this.chat.ask({ type: 'after', room, seq });
      if (answer.type !== 'events') throw new Error(`${room} answers with ${answer.type}`);
      log.push(...answer.items);
      seq = answer.to;
      if (seq >= answer.head) return log.flatMap((item) => (item.type === 'event' ? [item] : []));
    }
  }

  /** All lines of a room back to the first one that may be seen. */
  async lines(room: string): Promise<readonly Message[]> {
    const look = this.room(room);
    const stop = look.messages.subscribe(() => undefined);
    await look.history();
    while ((await look.older()).more);
    const lines = look.messages.get();
    stop();
    return lines;
  }
}

/** What a person sees of a room, without what differs from device to device. */
export async function picture(device: Device, room: string): Promise<object> {
  const lines = await device.lines(room);
  const { name, topic, state, role, muted, head, read, unread, mentions, pins } = device.room(room).info.get()!;
  return {
    info: { name, topic, state, role, muted: muted ?? false, head, read, unread, mentions, pins: pins ?? [] },
    lines: lines.map(({ key, seq, kind, text, from, status, edited, redacted, reactions, replyTo, mentions }) => ({
      key, seq, kind, text, from, status, edited, redacted, replyTo,
      reactions: [...reactions].map(String).sort(), mentions: [...mentions].sort(),
    })),
  };
}
