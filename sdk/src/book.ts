/**
 * All rooms as this device knows them: takes in what the server says, keeps the journal in step, and tells who
 * wants to know. The order of arrival is the order of the journal. Lives as long as the chat.
 */

import type { Emitter } from './emitter.js';
import type { Line } from './fold.js';
import { Journal } from './journal.js';
import { newRecord, RoomLog, type RoomRecord, type Taken } from './log.js';
import type { Snapshot } from './store.js';
import type { ChatEvents } from './types.js';
import type { Event, Item, Reset, RoomRow, ServerFrame } from './wire.js';

/** Lines read from the store into a window. */
export const WINDOW_LINES = 200;
/** Rooms of which the newest page is fetched although nobody has opened them. */
export const PREFETCH_ROOMS = 30;

type Of<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>;

export interface BookCore {
  journal: Journal;
  /** A room has changed: row, lines or unread. */
  changed(room: string): void;
  /** An event was applied. */
  applied(log: RoomLog, event: Event): void;
  /** All up to the cursor is had. */
  advanced(log: RoomLog): void;
  /** Rooms that somebody looks at. */
  open: ReadonlySet<string>;
  /** A room lacks something. */
  want(room: string): void;
  events: Emitter<ChatEvents>;
}

export class Book {
  readonly logs = new Map<string, RoomLog>();
  /** Rooms that events have named and whose row is not here yet: no position vouches for them. */
  readonly unknown = new Set<string>();
  /** Rooms of the summary that is coming in, if it names all. */
  #listed = new Set<string>();

  constructor(private readonly core: BookCore) {}

  /** What the store has; windows that it has overtaken, by another tab, are read again. */
  restore({ rooms }: Snapshot, overtaken = false): void {
    if (overtaken) for (const room of this.logs.keys()) this.#drop(room);
    for (const [room, record] of rooms) {
      const log = this.logs.get(room);
      if (!log) this.logs.set(room, new RoomLog(record, this.core.journal));
      else if (log.record.gen !== record.gen || (log.record.cursor ?? -1) < (record.cursor ?? -1)) {
        log.record = record;
        log.loaded = false;
        void this.load(room);
      } else continue;
      this.core.changed(room);
    }
    for (const room of this.logs.keys()) if (!rooms.has(room)) this.#drop(room);
  }

  /** All records, for a store that has nothing yet: what is not in a window counts as never fetched. */
  known(): Map<string, RoomRecord> {
    for (const [room, log] of this.logs) {
      log.record.low = log.low;
      if (log.loaded) continue;
      log.record.cursor = undefined;
      log.loaded = true;
      this.core.want(room);
    }
    return new Map([...this.logs].map(([room, log]) => [room, log.snapshot()]));
  }

  /** Reads the stored lines of a room into its window, once. */
  load(room: string): Promise<void> {
    const log = this.logs.get(room);
    if (!log || log.loaded) return Promise.resolve();
    return (log.loading ??= this.#stored(room, Infinity, WINDOW_LINES).then((lines) => {
      log.loading = undefined;
      if (log.loaded || this.logs.get(room) !== log) return;
      const { low, cursor = -1 } = log.record;
      const mine = lines.filter(({ event }) => event.seq >= low && event.seq <= cursor);
      log.load(mine, lines.length < WINDOW_LINES);
      this.#took(log, log.take([]));
    }));
  }

  summary({ rooms, all, reset, more, new: unread }: Of<'summary'>, otherEpoch: boolean): void {
    if (reset || otherEpoch) this.#wipe();
    for (const row of rooms) {
      if (all) this.#listed.add(row.room);
      this.row(row);
    }
    if (more) return;
    if (all) for (const room of [...this.logs.keys()]) if (!this.#listed.has(room)) this.#forget(room);
    this.#listed = new Set();
    this.core.events.emit('unread', unread);
  }

  /** A row as the server has it now. */
  row(row: RoomRow): void {
    const { room } = row;
    const log = this.logs.get(room);
    this.unknown.delete(room);
    if (!log) {
      const fresh = new RoomLog(newRecord(row), this.core.journal);
      // Nothing can be stored of a room that nothing was known of.
      fresh.loaded = true;
      this.logs.set(room, fresh);
      this.keep(fresh, undefined, true);
      if (this.logs.size <= PREFETCH_ROOMS || this.core.open.has(room)) this.core.want(room);
    } else {
      log.refresh(row);
      this.keep(log);
      if (log.behind && log.record.cursor !== undefined) this.core.want(room);
    }
  }

  /** Live pieces, and stretches of a log. */
  items(room: string, items: readonly Item[], head = 0): void {
    const log = this.logs.get(room);
    // Events of an unknown room: somebody has let this user in.
    if (!log) {
      this.unknown.add(room);
      return this.core.want(room);
    }
    const taken = log.take(items);
    log.heard(head);
    this.#took(log, taken);
    if (log.uncounted) this.core.want(room);
    if (log.behind) void this.load(room).then(() => log.behind && this.core.want(room));
  }

  reset(frame: Reset): void {
    const { room } = frame.row;
    const log = this.logs.get(room) ?? new RoomLog(newRecord(frame.row), this.core.journal);
    this.logs.set(room, log);
    const { journal } = this.core;
    const last = frame.page.at(-1);
    // The event that `last` names may be what the server does not have.
    if (journal.meta.last?.room === room) journal.note({ last: last && { room, seq: last.seq, key: last.key } });
    this.#took(log, log.reset(frame), true);
  }

  page(frame: Of<'page'>): void {
    const log = this.logs.get(frame.room);
    if (!log) return;
    const { messages, as_of: asOf, before } = frame;
    if (log.record.cursor === undefined) this.#took(log, log.begin(messages, asOf, before), true);
    else this.#took(log, log.extend(messages.map((event) => ({ event, asOf })), before));
  }

  marker({ room, type: _type, ...mine }: Of<'marker'>): void {
    const log = this.logs.get(room);
    if (!log) return;
    const { row, at } = log.record;
    log.refresh({ ...row, me: { ...row.me, mentions: 0, ...mine } }, at);
    this.keep(log);
  }

  /** All up to `seq` has been read here. */
  read(room: string, seq: number): boolean {
    const log = this.logs.get(room);
    if (!log || seq <= log.record.read) return false;
    log.record.read = seq;
    this.keep(log);
    return true;
  }

  /** A log was changed. */
  keep(log: RoomLog, taken?: Taken, clear = false): void {
    this.core.journal.room(log, taken, clear);
    this.core.changed(log.record.row.room);
  }

  /** Takes in older lines from the store, if it has them. */
  async older(room: string, log: RoomLog): Promise<void> {
    if (log.low <= log.record.low) return;
    const lines = await this.#stored(room, log.low, 50);
    const mine = lines.filter(({ event }) => event.seq >= log.record.low && event.seq < log.low);
    if (!mine[0]) return;
    // Not down to `low`: the store may have let go of older ones since.
    log.extend(mine, mine[0].event.seq);
    this.core.changed(room);
  }

  #stored(room: string, before: number, limit: number): Promise<Line[]> {
    return this.core.journal.attempt((store) => store.lines(room, before, limit));
  }

  #took(log: RoomLog, taken: Taken, clear = false): void {
    this.keep(log, taken, clear);
    const last = taken.events.at(-1);
    if (last) this.core.journal.note({ last: { room: last.room, seq: last.seq, key: last.key } });
    for (const event of taken.events) this.core.applied(log, event);
    this.core.advanced(log);
  }

  #wipe(): void {
    this.core.journal.wipe();
    for (const room of this.logs.keys()) this.#drop(room);
  }

  #forget(room: string): void {
    this.core.journal.forget(room);
    this.#drop(room);
  }

  #drop(room: string): void {
    this.logs.delete(room);
    this.core.changed(room);
  }
}
