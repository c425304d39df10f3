/** Tells the server what this device has and what has been read: coalesced, and again until it is stored. */

import type { Book } from './book.js';
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

export interface MarksCore {
  calls: Calls;
  clock: Clock;
  log(room: string): RoomLog | undefined;
  book: Pick<Book, 'keep'>;
}

export class Marks {
  readonly #dirty = new Set<string>();
  #timer: Unsubscribe | undefined;

  constructor(private readonly core: MarksCore) {}

  /** A cursor or read marker of this room may have risen. */
  touch(room: string): void {
    this.#dirty.add(room);
    this.#timer ??= this.core.clock.after(MARK_MS, () => this.#flush());
  }

  #flush(): void {
    this.#timer = undefined;
    // After connecting, all rooms are touched.
    if (!this.core.calls.ready) return;
    for (const room of [...this.#dirty].slice(0, BURST)) {
      this.#dirty.delete(room);
      const log = this.core.log(room);
      if (log) this.#mark(room, log);
    }
    for (const room of this.#dirty) return this.touch(room);
  }

  #mark(room: string, log: RoomLog): void {
    const { row, cursor = 0, read } = log.record;
    const { me, members } = row;
    const had = Math.max(cursor, read);
    const delivered = members > DELIVERED_MEMBERS_MAX || had <= me.delivered ? undefined : had;
    if (me.state !== 'joined' || (!delivered && read <= me.read)) return;
    const frame = { type: 'mark', room, delivered, read: read > me.read ? read : undefined } as const;
    this.core.calls.request(frame, (reply) => {
      if (reply.type === 'ok') {
        const { me: now } = log.record.row;
        log.row({
          me: { ...now, delivered: Math.max(now.delivered, delivered ?? read), read: Math.max(now.read, read) },
        });
        this.core.book.keep(log);
      } else if (reply.type === 'error' && reply.retryable) this.touch(room);
    });
  }
}
