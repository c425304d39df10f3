/** Two tabs, one database: what a room's record is after both have written. Pure. */

import type { RoomRecord } from './log.js';

/** `old` itself, if `next` is void; otherwise what to store. */
export function mergeRecord(old: RoomRecord | undefined, next: RoomRecord): RoomRecord {
  if (!old || next.gen > old.gen) return next;
  if (next.gen < old.gen) return old;
  const [ahead, other] = (next.cursor ?? -1) >= (old.cursor ?? -1) ? [next, old] : [old, next];
  const { row, at } = next.at >= old.at ? next : old;
  const { me: a } = next.row;
  const { me: b } = old.row;
  // Both stretches are whole; where they touch they are one.
  const touch = other.cursor !== undefined && ahead.low <= other.cursor + 1;
  return {
    ...ahead,
    low: touch ? Math.min(ahead.low, other.low) : ahead.low,
    read: Math.max(next.read, old.read),
    at,
    row: {
      ...row,
      head: Math.max(next.row.head, old.row.head),
      me: { ...row.me, delivered: Math.max(a.delivered, b.delivered), read: Math.max(a.read, b.read) },
    },
  };
}
