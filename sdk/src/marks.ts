/** Tells the server what this device has and what has been read: coalesced, and again until it is stored. */

import type { Calls } from './calls.js';
import type { Clock } from './env.js';
import type { RoomLog } from './log.js';
import type { Unsubscribe } from './types.js';

/** Changes within this time go out as one. */
export const MARK_MS = 500;
/** Rooms marked at once; the others follow. */
export const BURST = 32;
/** Above this size a room has no delivered markers (docs/protocol.md, section 7). */
export const DELIVERED_MEMBERS_MAX = 256;

export class Marks {
  readonly #dirty = new Set<string>();
  #timer: Unsubscribe | undefined;

  readonly #calls: Calls;
  readonly #clock: Clock;
  readonly #log: (room: string) => RoomLog | undefined;
  /** The server has stored markers of this room. */
  readonly #stored: (log: RoomLog) => void;

  constructor(
    calls: Calls,
    clock: Clock,
    log: (room: string) => RoomLog | undefined,
    stored: (log: RoomLog) => void,
  ) {
    this.#calls = calls;
    this.#clock = clock;
    this.#log = log;
    this.#stored = stored;
  }

  /** A cursor or read marker of this room may have risen. */
  touch(room: string): void {
    this.#dirty.add(room);
    this.#timer ??= this.#clock.after(MARK_MS, () => this.#flush());
  }

  #flush(): void {
    this.#timer = undefined;
    // After connecting, all rooms are touched.
    if (!this.#calls.ready) return;
    for (const room of [...this.#dirty].slice(0, BURST)) {
      this.#dirty.delete(room);
      const log = this.#log(room);
      if (log) this.#mark(room, log);
    }
    for (const room of this.#dirty) return this.touch(room);
  }

  #mark(room: string, log: RoomLog): void {
    const { row, cursor = 0, read } = log.record;
    const { me, members } = row;
    const delivered = Math.max(cursor, read);
    const told = members > DELIVERED_MEMBERS_MAX || delivered <= me.delivered;
    if (me.state !== 'joined' || (told && read <= me.read)) return;
    const frame = {
      type: 'mark',
      room,
      delivered: told ? undefined : delivered,
      read: read > me.read ? read : undefined,
    } as const;
    const req = this.#calls.request(frame, (reply) => {
      if (reply.type === 'error') {
        if (reply.retryable) this.touch(room);
        return;
      }
      const now = log.record.row;
      const rise = { delivered: Math.max(now.me.delivered, told ? read : delivered), read: Math.max(now.me.read, read) };
      log.record.row = { ...now, me: { ...now.me, ...rise } };
      this.#stored(log);
    });
    if (req === undefined) this.#dirty.add(room);
  }
}
