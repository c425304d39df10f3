/**
 * Fetches what rooms lack, one request at a time per room, few rooms at a time, open ones first: the row of an unknown
 * room, the newest page of one never seen, what follows the cursor of one that is behind.
 */

import type { Calls, Request } from './calls.js';
import type { Clock } from './env.js';
import { ChatError } from './errors.js';
import type { RoomLog } from './log.js';

/** Rooms fetched at the same time. */
export const PARALLEL = 4;
/** Before a room is asked about again when the last answer brought nothing. */
export const AGAIN_MS = 2_000;
/** Events asked for at once. */
export const AFTER_LIMIT = 200;

export interface PullerOptions {
  calls: Calls;
  clock: Clock;
  log: (room: string) => RoomLog | undefined;
  open: (room: string) => boolean;
  /** Asks and takes in the answer. */
  ask: (frame: Request) => Promise<void>;
  /** The server says no: there is nothing to fetch. */
  gone: (room: string) => void;
  /** Reads the stored lines. */
  load: (room: string) => Promise<void>;
}

export class Puller {
  readonly #wanted = new Set<string>();
  readonly #busy = new Map<string, Promise<void>>();

  readonly #options: PullerOptions;

  constructor(options: PullerOptions) {
    this.#options = options;
  }

  /** This room may lack something. */
  want(room: string): void {
    this.#wanted.add(room);
    this.run();
  }

  /** Starts what is wanted, as far as that is possible now. */
  run(): void {
    const { open, calls } = this.#options;
    while (calls.ready && this.#busy.size < PARALLEL) {
      const ready = [...this.#wanted].filter((room) => !this.#busy.has(room));
      const room = ready.find(open) ?? ready[0];
      if (room === undefined) return;
      this.#wanted.delete(room);
      const work = this.#pull(room)
        .catch(() => this.#later(room))
        .finally(() => {
          this.#busy.delete(room);
          this.run();
        });
      this.#busy.set(room, work);
    }
  }

  /** Until nothing is missing, or no progress is made. */
  async #pull(room: string): Promise<void> {
    const { log, load, ask, calls } = this.#options;
    for (let before = -2; calls.ready; ) {
      const now = log(room);
      if (now && !now.loaded) await load(room);
      if (now && !now.behind) return;
      const cursor = now?.record.cursor ?? -1;
      if (now && cursor === before) return this.#later(room);
      before = now ? cursor : before;
      try {
        await ask(this.#frame(room, now));
      } catch (error) {
        if (error instanceof ChatError && !error.retryable) return void this.#options.gone(room);
        throw error;
      }
      if (!now && !log(room)) return;
    }
    this.#wanted.add(room);
  }

  #frame(room: string, log: RoomLog | undefined): Request {
    if (!log) return { type: 'room', room };
    const { cursor, key } = log.record;
    if (cursor === undefined) return { type: 'history', room };
    return { type: 'after', room, seq: cursor, limit: AFTER_LIMIT, key };
  }

  #later(room: string): void {
    this.#options.clock.after(AGAIN_MS, () => this.want(room));
  }
}
