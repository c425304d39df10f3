/**
 * Brings what happened into the store: changes gather while a transaction runs, and the next one takes all of
 * them, in the order in which they came. So a position never gets there before what it vouches for.
 * When the store fails, memory takes over for the rest of this page's life.
 */

import type { RoomLog, Taken } from './log.js';
import { memoryStore, type Changes, type Meta, type RoomChange, type Snapshot, type Store } from './store.js';
import type { Problem } from './types.js';
import type { Profile } from './wire.js';

export interface JournalCore {
  trouble(problem: Problem): void;
  /** All that is known, for a store that begins in the middle. */
  known(): Omit<Snapshot, 'meta'>;
}

export class Journal {
  /** As stored or about to be. */
  meta: Meta = {};
  #pending: Changes | undefined;
  #running: Promise<void> | undefined;

  constructor(public store: Store, private readonly core: JournalCore) {}

  note(meta: Meta): void {
    Object.assign(this.meta, meta);
    Object.assign(this.#changes().meta, meta);
  }

  room(log: RoomLog, taken?: Taken, clear = false): void {
    const change = this.#change(log.record.row.room);
    if (clear) {
      change.clear = true;
      change.lines.clear();
    }
    change.record = log.snapshot();
    for (const [seq, line] of taken?.lines ?? []) change.lines.set(seq, line);
  }

  forget(room: string): void {
    const change = this.#change(room);
    change.record = null;
    change.lines.clear();
  }

  profiles(profiles: Profile[]): void {
    for (const one of profiles) this.#changes().profiles.set(one.id, one);
  }

  /** Does it with the store; if that fails, with the memory that takes over. */
  async attempt<T>(work: (store: Store) => Promise<T>): Promise<T> {
    const { store } = this;
    try {
      return await work(store);
    } catch (cause) {
      // Another one may have found out first.
      if (store === this.store) this.#degrade(cause);
      return work(this.store);
    }
  }

  /** Everything is void but who one is. */
  wipe(): void {
    const { user, device, life: last = 0 } = this.meta;
    const life = last + 1;
    this.meta = { user, device, life };
    Object.assign(this.#changes(), { life, meta: { ...this.meta }, rooms: new Map() });
  }

  /** Resolves when all that was noted so far is stored. */
  async flush(): Promise<void> {
    while (this.#pending || this.#running) await this.#write();
  }

  /** The store has failed: memory from here on. */
  #degrade(cause: unknown): void {
    this.store = memoryStore({ ...this.core.known(), meta: { ...this.meta } });
    const full = (cause as { name?: string } | undefined)?.name === 'QuotaExceededError';
    this.core.trouble({ code: full ? 'device_full' : 'store_broken', cause });
  }

  #change(room: string): RoomChange {
    const { rooms } = this.#changes();
    const change = rooms.get(room) ?? { record: null, clear: false, lines: new Map() };
    rooms.set(room, change);
    return change;
  }

  #changes(): Changes {
    if (!this.#pending) {
      this.#pending = { life: this.meta.life ?? 0, meta: {}, rooms: new Map(), profiles: new Map() };
      queueMicrotask(() => void this.#write());
    }
    return this.#pending;
  }

  #write(): Promise<void> {
    return (this.#running ??= this.#next().finally(() => {
      this.#running = undefined;
      if (this.#pending) void this.#write();
    }));
  }

  async #next(): Promise<void> {
    const changes = this.#pending;
    this.#pending = undefined;
    if (changes) await this.attempt((store) => store.write(changes));
  }
}
