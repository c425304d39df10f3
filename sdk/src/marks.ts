/** Tells the server what this device has and what has been read: coalesced, and again until it is stored. */

import type { Book } from './book.js';
import type { Calls } from './calls.js';
import type { Clock } from './env.js';
import { gather } from './gather.js';
import type { RoomLog } from './log.js';

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
  /** A cursor or read marker of this room may have risen. */
  readonly touch: (room: string) => void;

  constructor(private readonly core: MarksCore) {
    this.touch = gather(core, MARK_MS, BURST, (rooms) => rooms.forEach((room) => this.#mark(room)));
  }

  #mark(room: string): void {
    const log = this.core.log(room);
    // After connecting, all rooms are touched.
    if (!this.core.calls.ready || !log) return;
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
