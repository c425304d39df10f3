/**
 * `@chinwag/client/people`: who is there, who types, how far one's messages have come, and what one shows of oneself.
 *
 * None of it is stored, decides delivery, or is needed by the core. What somebody subscribes to is kept up to date over
 * reconnections; what nobody looks at costs nothing. Lives until `end`.
 */

import type { Chat, Readable } from '../types.js';
import type { Person, Standing, ServerFrame, Settings } from '../wire.js';
import { cell } from './cell.js';
import { RoomPeople } from './room.js';
import { Watch } from './watch.js';

export type { Presence } from './presence.js';
export { Receipts, type Marker, type Reach, type Reached } from './receipts.js';
export type { RoomPeople } from './room.js';
export type { Typing } from './typing.js';
export type { Person, Standing, Settings };

/** What one may hide; each is mutual: who hides it does not see it of others. */
export type Hidden = Omit<Settings, 'version'>;

const never: Settings = { hide_last_seen: false, hide_online: false, hide_receipts: false, version: 0 };

export class People {
  /** What one shows of oneself, on all of one's devices. */
  readonly settings: Readable<Settings>;
  readonly #settings;
  readonly #chat: Chat;
  readonly #watch: Watch;
  readonly #rooms = new Map<string, RoomPeople>();
  readonly #ended = new AbortController();

  constructor(chat: Chat) {
    this.#chat = chat;
    this.#watch = new Watch(chat);
    this.settings = this.#settings = cell<Settings>(chat.settings ?? never);
    chat.on('frame', (frame) => this.#take(frame), this.#ended);
    chat.on('state', (state) => state !== 'connected' && this.#down(), this.#ended);
    if (chat.state === 'connected') this.#up();
  }

  /** The people of a room: the same object for the same id. */
  room(id: string): RoomPeople {
    const room = this.#rooms.get(id) ?? new RoomPeople(id, this.#chat, this.#watch);
    this.#rooms.set(id, room);
    return room;
  }

  /** Hides or shows something of oneself; what is left out stays. Rejects with a `ChatError` after 30 s at most. */
  async set(change: Partial<Hidden>): Promise<void> {
    await this.#chat.ask({ type: 'settings', ...change });
    const now = this.#settings.get();
    this.#change({ ...now, ...change, version: now.version + 1 });
  }

  /** Looks at nothing any more. */
  end(): void {
    this.#ended.abort();
    this.#watch.stop();
    this.#down();
  }

  #take(frame: ServerFrame): void {
    switch (frame.type) {
      case 'summary':
        // What stands there now; of later changes `settings` tells.
        return frame.settings && this.#change(frame.settings);
      case 'settings': {
        const { type: _type, ...settings } = frame;
        return settings.version >= this.#settings.get().version ? this.#change(settings) : undefined;
      }
      case 'notify':
        // The row has it; one that cannot be had now comes with the next summary.
        return void this.#chat.ask({ type: 'room', room: frame.room }).catch(() => undefined);
      case 'behind':
        return this.#watch.down();
      case 'caught_up':
        return this.#up();
      case 'presence':
        return this.#rooms.get(frame.room)?.present(frame);
      case 'typing':
        return this.#rooms.get(frame.room)?.typists.take(frame);
      case 'receipt':
        return this.room(frame.room).moved(frame.members);
      case 'event':
        return this.#rooms.get(frame.room)?.happened(frame);
    }
  }

  #change(settings: Settings): void {
    const before = this.#settings.get();
    this.#settings.set(settings);
    if (before.hide_receipts === settings.hide_receipts) return;
    for (const room of this.#rooms.values()) room.forget();
  }

  #up(): void {
    this.#watch.up();
    for (const room of this.#rooms.values()) room.up();
  }

  #down(): void {
    this.#watch.down();
    for (const room of this.#rooms.values()) room.down();
  }
}

/** The people of a chat. One object is enough; each listens by itself. */
export function people(chat: Chat): People {
  return new People(chat);
}
