/**
 * Fetches what rooms lack, one request at a time per room, few rooms at a time, open ones first: the row of an unknown
 * room, the newest page of one never seen, what follows the cursor of one that is behind.
 */

import type { Book } from './book.js';
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

export interface PullerCore {
  calls: Calls;
  clock: Clock;
  log(room: string): RoomLog | undefined;
  /** Rooms that somebody looks at. */
  open: ReadonlySet<string>;
  book: Pick<Book, 'load' | 'unknown'>;
  /** Asks and takes in the answer. */
  ask(frame: Request): Promise<unknown>;
}

export class Puller {
  readonly #wanted = new Set<string>();
  readonly #busy = new Set<string>();

  constructor(private readonly core: PullerCore) {}

  /** This room may lack something. */
  want(room: string): void {
    this.#wanted.add(room);
    this.run();
  }

  /** Starts what is wanted, as far as that is possible now. */
  run(): void {
    while (this.core.calls.ready && this.#busy.size < PARALLEL) {
      const ready = [...this.#wanted].filter((room) => !this.#busy.has(room));
      const room = ready.find((one) => this.core.open.has(one)) ?? ready[0];
      if (!room) return;
      this.#wanted.delete(room);
      this.#busy.add(room);
      void this.#pull(room)
        .catch(() => this.#later(room))
        .finally(() => {
          this.#busy.delete(room);
          this.run();
        });
    }
  }

  /** Until nothing is missing, or no progress is made. */
  async #pull(room: string): Promise<void> {
    const core = this.core;
    for (let before = -2; core.calls.ready; ) {
      const now = core.log(room);
      await core.book.load(room);
      if (now?.behind === false && !now.uncounted) return;
      const cursor = now?.record.cursor ?? -1;
      if (now && cursor === before) return this.#later(room);
      before = now ? cursor : before;
      try {
        await core.ask(this.#frame(room, now));
      } catch (error) {
        if (error instanceof ChatError && !error.retryable) return void core.book.unknown.delete(room);
        throw error;
      }
      if (!now && !core.log(room)) return;
    }
    this.#wanted.add(room);
  }

  #frame(room: string, log: RoomLog | undefined): Request {
    if (!log || log.uncounted) return { type: 'room', room };
    const { cursor, key } = log.record;
    if (cursor === undefined) return { type: 'history', room };
    return { type: 'after', room, seq: cursor, limit: AFTER_LIMIT, key };
  }

  #later(room: string): void {
    this.core.clock.after(AGAIN_MS, () => this.want(room));
  }
}
