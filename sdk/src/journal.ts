/**
 * Brings what happened into the store: changes gather while a transaction runs, and the next one takes all of
 * them, in the order in which they came. So a position never gets there before what it vouches for.
 * When the store fails, memory takes over for the rest of this page's life.
 */

import type { RoomLog, Taken } from './log.js';
import { memoryStore, type Changes, type Meta, type RoomChange, type Snapshot, type Store } from './store.js';
import type { Problem } from './types.js';
import type { Profile } from './wire.js';

export class Journal {
  /** As stored or about to be. */
  meta: Meta = {};
  #pending: Changes | undefined;
  #running: Promise<void> | undefined;
  #degraded = false;

  readonly #problem: (problem: Problem) => void;
  /** All that is known, for a store that begins in the middle. */
  readonly #known: () => Omit<Snapshot, 'meta'>;

  constructor(
    public store: Store,
    problem: (problem: Problem) => void,
    known: () => Omit<Snapshot, 'meta'>,
  ) {
    this.#problem = problem;
    this.#known = known;
  }

  note(meta: Meta): void {
    Object.assign(this.meta, meta);
    Object.assign(this.#changes().meta, meta);
  }

  room(log: RoomLog, me: string | undefined, taken?: Taken, clear = false): void {
    const change = this.#change(log.record.row.room);
    if (clear) {
      change.clear = true;
      change.lines.clear();
    }
    change.record = log.snapshot(me);
    for (const [seq, line] of taken?.lines ?? []) change.lines.set(seq, line);
  }

  forget(room: string): void {
    const change = this.#change(room);
    change.record = null;
    change.lines.clear();
  }

  profile(profile: Profile): void {
    this.#changes().profiles.set(profile.id, profile);
  }

  /** What the store has; nothing, if it cannot be read. */
  async load(): Promise<Snapshot> {
    try {
      return await this.store.load();
    } catch (cause) {
      this.degrade(cause);
      return this.store.load();
    }
  }

  /** Everything is void but who one is. */
  wipe(): void {
    const { user, device, life = 0 } = this.meta;
    this.meta = { user, device, life: life + 1 };
    const { profiles } = this.#changes();
    this.#pending = { life: life + 1, meta: { ...this.meta }, rooms: new Map(), profiles };
  }

  /** Resolves when all that was noted so far is stored. */
  async flush(): Promise<void> {
    while (this.#pending || this.#running) await this.#write();
  }

  /** The store has failed: memory from here on. */
  degrade(cause: unknown): void {
    if (this.#degraded) return;
    this.#degraded = true;
    this.store = memoryStore({ ...this.#known(), meta: { ...this.meta } });
    const full = (cause as { name?: string } | undefined)?.name === 'QuotaExceededError';
    this.#problem({ code: full ? 'device_full' : 'store_broken', cause });
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
    if (!changes) return;
    try {
      await this.store.write(changes);
    } catch (cause) {
      this.degrade(cause);
      await this.store.write(changes);
    }
  }
}
