/** Tells the server which rooms this connection looks at: the newest list counts, and is said again when it is due. */

import type { Chat, Unsubscribe } from '../types.js';

/** The server's `watched_rooms`. */
export const WATCHED_MAX = 32;
/** Changes of the list within this time go out as one. */
export const WATCH_MS = 20;
/** Before a list refused for now is said again, if the server does not say. */
const RETRY_MS = 1_000;

export class Watch {
  /** The one looked at last stands last. */
  readonly #rooms = new Set<string>();
  #ready = false;
  #timer: Unsubscribe | undefined;
  #turn = 0;

  constructor(private readonly chat: Chat) {}

  look(room: string, on: boolean): void {
    this.#rooms.delete(room);
    if (on) this.#rooms.add(room);
    this.again();
  }

  has(room: string): boolean {
    return this.#rooms.has(room);
  }

  /** The connection has caught up: it looks at nothing yet. */
  up(): void {
    this.#ready = true;
    if (this.#rooms.size) this.again();
  }

  down(): void {
    this.#ready = false;
  }

  /** Says it soon, or after `ms`. */
  again(ms = WATCH_MS): void {
    this.#timer?.();
    this.#timer = this.chat.clock.after(ms, () => this.#say());
  }

  stop(): void {
    this.#timer?.();
  }

  #say(): void {
    if (!this.#ready) return;
    const turn = ++this.#turn;
    this.chat.tell({ type: 'watch', rooms: [...this.#rooms].slice(-WATCHED_MAX) }, (reply) => {
      // A later list is under way: it counts.
      if (reply.type === 'error' && reply.retryable && turn === this.#turn) this.again(reply.retry_after_ms ?? RETRY_MS);
    });
  }
}
