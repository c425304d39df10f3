/**
 * All rooms as this device knows them: takes in what the server says, keeps the journal in step, and tells who
 * wants to know. The order of arrival is the order of the journal. Lives as long as the chat.
 */

import type { Line } from './fold.js';
import { Journal } from './journal.js';
import { newRecord, RoomLog, type RoomRecord, type Taken } from './log.js';
import type { Snapshot } from './store.js';
import type { Event, Item, Reset, RoomRow, ServerFrame } from './wire.js';

/** Lines read from the store into a window. */
export const WINDOW_LINES = 200;
/** Rooms of which the newest page is fetched although nobody has opened them. */
export const PREFETCH_ROOMS = 30;

type Of<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>;

export interface BookOptions {
  journal: Journal;
  /** The id of the user. */
  me: () => string | undefined;
  /** A room has changed: row, lines or unread. */
  changed: (room: string) => void;
  /** An event was applied. */
  applied: (log: RoomLog, event: Event) => void;
  /** All up to the cursor is had. */
  advanced: (log: RoomLog) => void;
  /** Somebody looks at the room. */
  open: (room: string) => boolean;
  /** A room lacks something. */
  want: (room: string) => void;
  missed: (count: number) => void;
}

export class Book {
  readonly logs = new Map<string, RoomLog>();
  /** Rooms that events have named and whose row is not here yet: no position vouches for them. */
  readonly unknown = new Set<string>();
  readonly #loading = new Map<string, Promise<void>>();
  /** Rooms of the summary that is coming in, if it names all. */
  #listed = new Set<string>();

  readonly #options: BookOptions;

  constructor(options: BookOptions) {
    this.#options = options;
  }

  /** What the store has; windows that it has overtaken, by another tab, are read again. */
  restore({ rooms }: Snapshot, overtaken = false): void {
    if (overtaken) for (const room of this.logs.keys()) this.#drop(room);
    for (const [room, record] of rooms) {
      const log = this.logs.get(room);
      if (!log) this.logs.set(room, new RoomLog(record));
      else if (log.record.gen !== record.gen || (log.record.cursor ?? -1) < (record.cursor ?? -1)) {
        log.record = record;
        log.loaded = false;
        void this.load(room);
      } else continue;
      this.#options.changed(room);
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
      this.#options.want(room);
    }
    return new Map([...this.logs].map(([room, log]) => [room, log.snapshot(this.#options.me())]));
  }

  /** Reads the stored lines of a room into its window, once. */
  load(room: string): Promise<void> {
    const log = this.logs.get(room);
    if (!log || log.loaded) return Promise.resolve();
    const running = this.#loading.get(room);
    if (running) return running;
    const { store } = this.#options.journal;
    const low = () => log.record.low;
    const work = store
      .lines(room, Infinity, WINDOW_LINES)
      .catch((cause) => (this.#options.journal.degrade(cause), [] as Line[]))
      .then((lines) => {
        this.#loading.delete(room);
        if (log.loaded || this.logs.get(room) !== log) return;
        const { cursor } = log.record;
        const mine = lines.filter(({ event }) => event.seq >= low() && event.seq <= (cursor ?? -1));
        log.load(mine, lines.length < WINDOW_LINES);
        this.#took(log, log.take([]));
      });
    this.#loading.set(room, work);
    return work;
  }

  summary({ rooms, all, reset, more, new: missed }: Of<'summary'>, otherEpoch: boolean): void {
    if (reset || otherEpoch) this.#wipe();
    for (const row of rooms) {
      if (all) this.#listed.add(row.room);
      this.row(row);
    }
    if (more) return;
    if (all) for (const room of [...this.logs.keys()]) if (!this.#listed.has(room)) this.#forget(room);
    this.#listed = new Set();
    this.#options.missed(missed);
  }

  /** A row as the server has it now. */
  row(row: RoomRow): void {
    const { journal, open, want, changed, me } = this.#options;
    const log = this.logs.get(row.room);
    this.unknown.delete(row.room);
    if (!log) {
      const fresh = new RoomLog(newRecord(row));
      // Nothing can be stored of a room that nothing was known of.
      fresh.loaded = true;
      this.logs.set(row.room, fresh);
      journal.room(fresh, me(), undefined, true);
      if (this.logs.size <= PREFETCH_ROOMS || open(row.room)) want(row.room);
    } else {
      log.refresh(row);
      journal.room(log, me());
      if (log.behind && log.record.cursor !== undefined) want(row.room);
    }
    changed(row.room);
  }

  /** Live pieces, and stretches of a log. */
  items(room: string, items: readonly Item[], head?: number): void {
    const log = this.logs.get(room);
    // Events of an unknown room: somebody has let this user in.
    if (!log) {
      this.unknown.add(room);
      return this.#options.want(room);
    }
    const taken = log.take(items, this.#options.me());
    if (head !== undefined && head > log.record.row.head) log.record.row = { ...log.record.row, head };
    this.#took(log, taken);
    if (log.behind) {
      if (log.loaded) this.#options.want(room);
      else void this.load(room).then(() => log.behind && this.#options.want(room));
    }
  }

  reset(frame: Reset): void {
    const { room } = frame.row;
    const log = this.logs.get(room) ?? new RoomLog(newRecord(frame.row));
    this.logs.set(room, log);
    const { journal } = this.#options;
    const last = frame.page.at(-1);
    // The event that `last` names may be what the server does not have.
    if (journal.meta.last?.room === room) journal.note({ last: last && { room, seq: last.seq, key: last.key } });
    this.#took(log, log.reset(frame), true);
  }

  page(frame: Of<'page'>): void {
    const log = this.logs.get(frame.room);
    if (!log) return;
    const { cursor } = log.record;
    if (cursor === undefined) return this.#took(log, log.begin(frame.messages, frame.as_of, frame.before), true);
    const lines = frame.messages.map((event) => ({ event, asOf: frame.as_of }));
    this.#took(log, log.extend(lines, frame.before));
  }

  marker({ room, delivered, read, unread }: Of<'marker'>): void {
    const log = this.logs.get(room);
    if (!log) return;
    const { row } = log.record;
    log.refresh({ ...row, me: { ...row.me, delivered, read, unread } });
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

  /** The row of a log was changed. */
  keep(log: RoomLog): void {
    const { journal, me, changed } = this.#options;
    journal.room(log, me());
    changed(log.record.row.room);
  }

  /** Older lines, from the store if it has them. */
  async stored(room: string): Promise<number | undefined> {
    const log = this.logs.get(room);
    if (!log || log.low <= log.record.low) return undefined;
    const lines = await this.#options.journal.store.lines(room, log.low, 50);
    const mine = lines.filter(({ event }) => event.seq >= log.record.low && event.seq < log.low);
    if (mine.length === 0) return undefined;
    log.extend(mine, lines.length < 50 ? log.record.low : mine[0]!.event.seq);
    this.#options.changed(room);
    return mine.length;
  }

  #took(log: RoomLog, taken: Taken, clear = false): void {
    const { journal, me, applied, advanced, changed } = this.#options;
    const { room } = log.record.row;
    journal.room(log, me(), taken, clear);
    const last = taken.events.at(-1);
    if (last) journal.note({ last: { room, seq: last.seq, key: last.key } });
    for (const event of taken.events) applied(log, event);
    advanced(log);
    changed(room);
  }

  #wipe(): void {
    this.#options.journal.wipe();
    for (const room of this.logs.keys()) this.#drop(room);
  }

  #forget(room: string): void {
    this.#options.journal.forget(room);
    this.#drop(room);
  }

  #drop(room: string): void {
    this.logs.delete(room);
    this.#options.changed(room);
  }
}
