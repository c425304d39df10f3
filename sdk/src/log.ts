/**
 * One room's log as far as this device has it: applies each event once, in order, and holds what lies
 * beyond a hole. Pure: no socket, no store, no clock. Lives as long as the room is known.
 */

import { countable, fold, hasLine, type Line } from './fold.js';
import type { Event, Folded, Item, Reset, RoomRow } from './wire.js';

/** Pieces held behind a hole; more are dropped and fetched later with what lies before them. */
export const HELD_MAX = 256;
/** Lines of a window; beyond, the older half leaves memory and is paged back from the store. */
export const LINES_MAX = 2000;
/** Unread messages are counted to here: "999+". */
export const UNREAD_CAP = 1000;

/** What is stored of a room beside its lines. */
export interface RoomRecord {
  row: RoomRow;
  /** How often the log was begun anew: what belongs to an older one is void. */
  gen: number;
  /** Everything up to here is had; absent: nothing was ever fetched. */
  cursor?: number | undefined;
  /** Key of the event at the cursor, if an event stands there. */
  key?: string | undefined;
  /** From here to the cursor all lines are held. */
  low: number;
  /** Read on this device, perhaps not told yet. */
  read: number;
  /** Unread at `unreadAt`; what came after it is counted from the lines. */
  unread: number;
  unreadAt: number;
  last?: Line | undefined;
}

/** What a step changed. */
export interface Taken {
  events: Event[];
  lines: Map<number, Line>;
}

export function newRecord(row: RoomRow): RoomRecord {
  return { row, gen: 0, low: 1, read: row.me.read, unread: row.me.unread, unreadAt: row.head };
}

const range = (item: Item): [number, number] => (item.type === 'skip' ? [item.from, item.to] : [item.seq, item.seq]);

export class RoomLog {
  /** The window: a stretch of lines that ends at the cursor. */
  lines: Line[] = [];
  /** From here on the window is whole. */
  low = 1;
  /** Whether the stored lines have been read into the window. */
  loaded = false;
  /** While they are being read. */
  loading: Promise<void> | undefined;
  readonly held = new Map<number, Item>();

  constructor(public record: RoomRecord) {}

  /** Whether something is known to be missing. */
  get behind(): boolean {
    return (this.record.cursor ?? -1) < this.record.row.head;
  }

  /** What has changed in the row. */
  row(change: Partial<RoomRow>): void {
    this.record.row = { ...this.record.row, ...change };
  }

  /** A head was heard of. */
  heard(head: number): void {
    if (head > this.record.row.head) this.row({ head });
  }

  /** The stored lines, the newest of them. `whole`: there are no others. */
  load(lines: Line[], whole: boolean): void {
    this.lines = lines;
    this.low = whole ? this.record.low : (lines[0]?.event.seq ?? this.record.low);
    this.loaded = true;
  }

  /** Takes in pieces of the log, in any order, any number of times. */
  take(items: readonly Item[], me?: string): Taken {
    const taken: Taken = { events: [], lines: new Map() };
    for (const item of items) {
      this.#note(item, me);
      if (!this.#apply(item, taken) && this.held.size < HELD_MAX) this.held.set(range(item)[0], item);
    }
    for (let moved = true; moved; ) {
      moved = false;
      for (const [from, item] of this.held) {
        if (this.#apply(item, taken)) moved = this.held.delete(from);
      }
    }
    return taken;
  }

  /** The newest page of a room of which nothing is held. */
  begin(page: Folded[], asOf: number, before: number | undefined): Taken {
    const record = this.record;
    const last = page.at(-1);
    record.cursor = asOf;
    this.heard(asOf);
    record.key = last?.seq === asOf ? last.key : undefined;
    record.low = this.low = before ?? 1;
    this.lines = page.map((event) => ({ event, asOf }));
    record.last = this.lines.at(-1);
    this.loaded = true;
    const taken = this.take([]);
    for (const line of this.lines) taken.lines.set(line.event.seq, line);
    return taken;
  }

  /** A page that ends at the window. */
  extend(lines: Line[], before: number | undefined): Taken {
    const older = lines.filter((line) => line.event.seq < this.low);
    this.lines = [...older, ...this.lines];
    this.low = before ?? 1;
    this.record.low = Math.min(this.record.low, this.low);
    return { events: [], lines: new Map(older.map((line) => [line.event.seq, line])) };
  }

  /** The room anew. */
  reset({ row, page }: Pick<Reset, 'row' | 'page'>): Taken {
    this.record = { ...newRecord(row), read: Math.min(this.record.read, row.head), gen: this.record.gen + 1 };
    // `page` does not say whether more lies before it; asking for an empty page finds out.
    return this.begin(page, row.head, page[0]?.seq ?? row.head + 1);
  }

  /** A fresh row: true at its head, which may lie before or behind what is held. */
  refresh(row: RoomRow): void {
    const old = this.record.row;
    this.record.row = { ...row, head: Math.max(row.head, old.head), msg_no: Math.max(row.msg_no, old.msg_no) };
    this.record.read = Math.max(this.record.read, row.me.read);
    this.#recount(row.me.unread, row.head);
  }

  /** The server counted: `unread` at `at`. */
  #recount(unread: number, at: number): void {
    this.record.unread = unread;
    this.record.unreadAt = at;
  }

  unread(me: string | undefined): number {
    const { record } = this;
    const floor = Math.max(record.read, record.row.me.since);
    if (record.read >= record.row.head) return 0;
    const count = (from: number) =>
      this.lines.filter(({ event }) => event.seq > from && countable(event, me)).length;
    const whole = this.loaded && !this.behind && this.low <= floor + 1;
    const sum = whole ? count(floor) : record.unread + count(Math.max(floor, record.unreadAt));
    return Math.min(sum, UNREAD_CAP);
  }

  /** What to store now. */
  snapshot(me: string | undefined): RoomRecord {
    // Counted anew from here on, so that a start without the lines has the number.
    if (this.loaded && this.record.cursor !== undefined && !this.behind) {
      this.#recount(this.unread(me), this.record.cursor);
    }
    return { ...this.record };
  }

  /** What an event says about the room, at once, although it may be held. */
  #note(item: Item, me: string | undefined): void {
    const [, to] = range(item);
    const row = this.record.row;
    if (to <= row.head) return;
    this.row({ head: to });
    if (item.type === 'skip') return;
    this.row({ msg_no: item.msg_no });
    if (item.kind !== 'member') return;
    const { user, state, role } = item.body;
    const joined = state === 'joined';
    this.row({ members: Math.max(0, row.members + (joined ? 1 : -1)) });
    if (user === me) this.row({ me: { ...row.me, state, role, since: joined ? item.seq : row.me.since } });
  }

  /** Whether `item` is done with: applied now or before. */
  #apply(item: Item, taken: Taken): boolean {
    const { cursor } = this.record;
    const [from, to] = range(item);
    if (cursor === undefined) return false;
    if (to <= cursor) return true;
    if (from > cursor + 1 || !this.loaded) return false;
    this.record.cursor = to;
    this.record.key = undefined;
    if (item.type === 'skip') return true;
    const { type: _type, ...event } = item;
    this.record.key = event.key;
    taken.events.push(event);
    if (hasLine(event)) this.#put({ event, asOf: event.seq }, taken);
    else if (event.target) this.#change(event, event.target, taken);
    return true;
  }

  #put(line: Line, taken: Taken): void {
    this.lines = [...this.lines, line];
    if (this.lines.length > LINES_MAX) {
      this.lines = this.lines.slice(-LINES_MAX / 2);
      this.low = this.lines[0]!.event.seq;
    }
    this.record.last = line;
    taken.lines.set(line.event.seq, line);
  }

  #change(event: Event, target: number, taken: Taken): void {
    const at = this.lines.findIndex((line) => line.event.seq === target);
    if (at < 0) {
      // Stored lines before the window would now be wrong: they are fetched again when wanted.
      if (target < this.low) this.record.low = this.low;
      return;
    }
    const line = fold(this.lines[at]!, event);
    this.lines = this.lines.with(at, line);
    if (this.record.last?.event.seq === target) this.record.last = line;
    taken.lines.set(target, line);
  }
}
