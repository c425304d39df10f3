/** Tells the server what this device has and what has been read: coalesced, and again until it is stored. */

import type { Book } from './book.js';
import type { Calls } from './calls.js';
import type { Clock } from './env.js';
import { gather } from './gather.js';
import type { RoomLog } from './log.js';

/** So long after the first change it goes out, with what has changed meanwhile: others wait for their ticks. */
export const MARK_MS = 30;
/** In a room where much happens, and for many rooms at once, not more often than this. */
export const PACE_MS = 300;
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

/** What to call when a cursor or read marker of a room may have risen. */
export function marks(core: MarksCore): (room: string) => void {
  const mark = (room: string) => {
    const log = core.log(room);
    // After connecting, all rooms are touched.
    if (!core.calls.ready || !log) return;
    const { row, cursor = 0, read } = log.record;
    const { me, members } = row;
    const had = Math.max(cursor, read);
    const delivered = members > DELIVERED_MEMBERS_MAX || had <= me.delivered ? undefined : had;
    if (me.state !== 'joined' || (!delivered && read <= me.read)) return;
    const frame = { type: 'mark', room, delivered, read: read > me.read ? read : undefined } as const;
    core.calls.request(frame, (reply) => {
      if (reply.type === 'ok') {
        const { me: now } = log.record.row;
        log.row({
          me: { ...now, delivered: Math.max(now.delivered, delivered ?? read), read: Math.max(now.read, read) },
        });
        core.book.keep(log);
      } else if (reply.type === 'error' && reply.retryable) touch(room);
    });
  };
  const touch = gather(core, MARK_MS, BURST, (rooms) => rooms.forEach(mark), PACE_MS);
  return touch;
}
