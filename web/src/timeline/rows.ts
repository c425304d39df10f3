// From entries to the lines of a timeline: days, groups, the line of new messages. Pure.
import type { Entry, Message } from '../model';

/** A group ends after so long a pause (ui.md, section 2). */
export const groupMs = 5 * 60_000;

/** One line of a timeline. */
export type Row =
  | { kind: 'day'; key: string; ts: number }
  | { kind: 'new'; key: string; count: number }
  | { kind: 'notice'; key: string; entry: Exclude<Entry, Message> }
  | { kind: 'message'; key: string; entry: Message; own: boolean; first: boolean; last: boolean };

/** Names the local day of a moment. */
export function dayOf(ts: number): string {
  const date = new Date(ts);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

/** Whether `next` continues what `entry` began: same author, soon, same day. */
function continues(entry: Entry, next: Entry | undefined): boolean {
  return (
    next !== undefined &&
    entry.kind === 'message' &&
    next.kind === 'message' &&
    entry.from === next.from &&
    next.ts - entry.ts < groupMs &&
    dayOf(entry.ts) === dayOf(next.ts)
  );
}

/** The seqs between which everything was new when the room was opened. */
export interface Fresh {
  from: number;
  to: number;
}

/**
 * The lines for `entries`, oldest first. With `fresh`, the line of new messages stands above
 * its first entry, and counts the messages of others in it.
 */
export function rowsOf(entries: readonly Entry[], me: string, fresh?: Fresh): Row[] {
  const rows: Row[] = [];
  const newFrom = fresh?.from ?? Infinity;
  let before: Entry | undefined;
  let lineDrawn = fresh === undefined;
  entries.forEach((entry, index) => {
    const newDay = before === undefined || dayOf(before.ts) !== dayOf(entry.ts);
    if (newDay) rows.push({ kind: 'day', key: `day ${dayOf(entry.ts)} ${entry.key}`, ts: entry.ts });
    let broken = newDay;
    if (fresh && !lineDrawn && (entry.seq ?? 0) >= newFrom) {
      lineDrawn = true;
      const count = countFrom(entries, newFrom, me, fresh.to);
      if (count > 0) {
        rows.push({ kind: 'new', key: 'new', count });
        broken = true;
      }
    }
    if (entry.kind === 'message') {
      const first = broken || before === undefined || !continues(before, entry);
      const next = entries[index + 1];
      const last = !continues(entry, next) || (next?.seq === newFrom && next.from !== me);
      rows.push({ kind: 'message', key: entry.key, entry, own: entry.from === me, first, last });
    } else {
      rows.push({ kind: 'notice', key: entry.key, entry });
    }
    before = entry;
  });
  return rows;
}

/** Messages of others from `seq` on, up to `to`, that still have words. */
export function countFrom(entries: readonly Entry[], seq: number, me: string, to = Infinity): number {
  return entries.filter(
    (entry) =>
      entry.kind === 'message' &&
      entry.from !== me &&
      !entry.removed &&
      entry.seq !== undefined &&
      entry.seq >= seq &&
      entry.seq <= to,
  ).length;
}

/** Where the new messages begin for somebody who has read up to `read`; nowhere if none is new. */
export function firstUnread(entries: readonly Entry[], read: number, me: string): number | undefined {
  return entries.find(
    (entry) =>
      entry.kind === 'message' &&
      entry.from !== me &&
      !entry.removed &&
      entry.seq !== undefined &&
      entry.seq > read,
  )?.seq;
}
