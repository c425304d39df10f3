/**
 * One room's log as far as this device has it: applies each event once, in order, and holds what lies
 * beyond a hole. Pure: no socket, no store, no clock. Lives as long as the room is known.
 */

import { calls, countable, fold, type Line, type Self } from './fold.js';
import type { Event, Folded, Item, MemberBody, Reset, RoleBody, RoomRow } from './wire.js';

/** Pieces held behind a hole; more are dropped and fetched later with what lies before them. */
export const HELD_MAX = 256;
/** Lines of a window; beyond, the older half leaves memory and is paged back from the store. */
export const LINES_MAX = 2000;
/** Unread messages are counted to here: "999+". */
export const UNREAD_CAP = 1000;

/** What is stored of a room beside its lines. */
export interface RoomRecord {
  row: RoomRow;
  /** Up to here events have changed the row; its head is only what was heard of. */
  at: number;
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
  /** How many of them call on one. */
  mentions: number;
  unreadAt: number;
  last?: Line | undefined;
}

/** What a step changed. */
export interface Taken {
  events: Event[];
  lines: Map<number, Line>;
}

export function newRecord(row: RoomRow): RoomRecord {
  const { read, unread, mentions = 0 } = row.me;
  return { row, at: row.head, gen: 0, low: 1, read, unread, mentions, unreadAt: row.head };
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
  /** What is unread has changed among lines that are not held: only the server can say. */
  uncounted = false;

  /** `who`: the owner of this device, as known at any time. */
  constructor(public record: RoomRecord, private readonly who: { readonly meta: Self }) {}

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
  take(items: readonly Item[]): Taken {
    const taken: Taken = { events: [], lines: new Map() };
    for (const item of items) {
      const [from, to] = range(item);
      this.heard(to);
      // Of a room that was never fetched nothing is applied.
      if (this.record.cursor === undefined) this.#note(item);
      if (!this.#apply(item, taken) && this.held.size < HELD_MAX) this.held.set(from, item);
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
  refresh(row: RoomRow, at = row.head): void {
    const { gen, low, read, row: old } = this.record;
    this.uncounted = false;
    Object.assign(this.record, newRecord(row), { at, gen, low, read: Math.max(read, row.me.read) });
    this.heard(old.head);
  }

  /** After it lies what may be unread. */
  get #floor(): number {
    return Math.max(this.record.read, this.record.row.me.since);
  }

  /** How many messages are unread, and how many of them call on one. */
  unread(): { unread: number; mentions: number } {
    const { record } = this;
    const floor = this.#floor;
    const whole = record.read >= record.row.head || (this.loaded && !this.behind && this.low <= floor + 1);
    const from = whole ? floor : Math.max(floor, record.unreadAt);
    const found = this.lines.filter(({ event }) => event.seq > from && countable(event, this.who.meta));
    const told = whole ? 0 : 1;
    return {
      unread: Math.min(found.length + told * record.unread, UNREAD_CAP),
      mentions: found.filter(({ event }) => calls(event, this.who.meta)).length + told * record.mentions,
    };
  }

  /** What to store now. */
  snapshot(): RoomRecord {
    // Counted anew from here on, so that a start without the lines has the number.
    if (this.loaded && this.record.cursor !== undefined && !this.behind) {
      Object.assign(this.record, this.unread(), { unreadAt: this.record.cursor });
    }
    return { ...this.record };
  }

  /** What an event says about the room: in the order of the log, each once. */
  #note(item: Item): void {
    const { record } = this;
    const { row } = record;
    if (item.type === 'skip' || item.seq <= record.at) return;
    record.at = item.seq;
    switch (item.kind) {
      case 'settings':
        return this.row(item.body);
      case 'member':
      case 'role': {
        const { user, members = row.members, ...mine } = item.body as MemberBody & RoleBody;
        const since = mine.state === 'joined' ? item.seq : row.me.since;
        return this.row({ members, ...(user === this.who.meta.user?.id && { me: { ...row.me, ...mine, since } }) });
      }
      case 'redact':
      case 'pin': {
        const others = (row.pins ?? []).filter((pin) => pin !== item.target);
        this.row({ pins: (item.body as { on?: boolean }).on ? [...others, item.target!] : others });
      }
    }
  }

  /** Whether `item` is done with: applied now or before. */
  #apply(item: Item, taken: Taken): boolean {
    // Of a room that was never fetched everything lies beyond a hole.
    const { cursor = -2 } = this.record;
    const [from, to] = range(item);
    if (to <= cursor) return true;
    if (from > cursor + 1 || !this.loaded) return false;
    this.record.cursor = to;
    this.record.key = undefined;
    this.#note(item);
    if (item.type === 'skip') return true;
    const { type: _type, ...event } = item;
    this.record.key = event.key;
    taken.events.push(event);
    // What is about another line changes that one; all else has its own, unknown kinds too: "update to see".
    if (event.target) this.#change(event, event.target, taken);
    else this.#put({ event, asOf: event.seq }, taken);
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
    const { record } = this;
    const at = this.lines.findIndex((line) => line.event.seq === target);
    const old = this.lines[at];
    // What the server has counted, it has counted with what it knew.
    const counted = event.kind === 'redact' && event.seq > record.unreadAt && target <= record.unreadAt && target > this.#floor;
    if (!old) {
      // Stored lines before the window would now be wrong: they are fetched again when wanted.
      if (target < this.low) record.low = this.low;
      this.uncounted ||= counted;
      return;
    }
    if (counted && countable(old.event, this.who.meta)) {
      record.unread -= 1;
      if (calls(old.event, this.who.meta)) record.mentions -= 1;
    }
    const line = fold(old, event);
    this.lines = this.lines.with(at, line);
    if (record.last?.event.seq === target) record.last = line;
    taken.lines.set(target, line);
  }
}
