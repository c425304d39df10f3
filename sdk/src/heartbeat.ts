/**
 * Asks after silence and notices when nobody answers (docs/protocol.md, section 9). Works by the wall clock, so a
 * timer that fires late, after sleep, asks at once. Lives as long as one connection.
 */

import type { Clock } from './env.js';
import type { Quality, Unsubscribe } from './types.js';

export const SILENCE_MS = 15_000;
export const ANSWER_MS = 8_000;
/** Silence after which a page that wakes up asks. */
export const WAKE_MS = 5_000;

export class Heartbeat {
  #heardAt: number;
  #deadline: number | undefined;
  #cancel: Unsubscribe = () => undefined;

  readonly #clock: Clock;
  readonly #visible: () => boolean;
  readonly #ping: () => void;
  readonly #dead: () => void;

  constructor(clock: Clock, visible: () => boolean, ping: () => void, dead: () => void) {
    this.#clock = clock;
    this.#visible = visible;
    this.#ping = ping;
    this.#dead = dead;
    this.#heardAt = clock.now();
    this.#arm(SILENCE_MS);
  }

  /** A frame came: whatever was asked is answered. */
  heard(): void {
    this.#heardAt = this.#clock.now();
    if (this.#deadline === undefined) return;
    this.#deadline = undefined;
    this.#arm(SILENCE_MS);
  }

  /** The page is looked at again, or the network is back. */
  wake(): void {
    if (this.#deadline === undefined && this.#clock.now() - this.#heardAt >= WAKE_MS) this.#ask();
  }

  stop(): void {
    this.#cancel();
  }

  #arm(ms: number): void {
    this.#cancel();
    this.#cancel = this.#clock.after(ms, () => this.#look());
  }

  #look(): void {
    const now = this.#clock.now();
    if (this.#deadline !== undefined) {
      if (now >= this.#deadline) this.#dead();
      else this.#arm(this.#deadline - now);
      return;
    }
    const silent = now - this.#heardAt;
    // In the background the network is left alone; onWake asks.
    if (silent < SILENCE_MS) this.#arm(SILENCE_MS - silent);
    else if (this.#visible()) this.#ask();
    else this.#arm(SILENCE_MS);
  }

  #ask(): void {
    this.#deadline = this.#clock.now() + ANSWER_MS;
    this.#arm(ANSWER_MS);
    this.#ping();
  }
}

/** The median of the last five round trips. */
export class RoundTrips {
  readonly #last: number[] = [];

  add(ms: number): void {
    this.#last.push(ms);
    if (this.#last.length > 5) this.#last.shift();
  }

  quality(): Quality {
    const rttMs = [...this.#last].sort((a, b) => a - b)[Math.floor(this.#last.length / 2)];
    if (rttMs === undefined) return { level: 'unknown' };
    return { rttMs, level: rttMs < 150 ? 'good' : rttMs < 400 ? 'fair' : 'poor' };
  }
}
