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

export interface Heartbeat {
  /** A frame came: whatever was asked is answered. */
  heard(): void;
  /** The page is looked at again, or the network is back. */
  wake(): void;
  stop(): void;
}

export function heartbeat(clock: Clock, visible: () => boolean, ping: () => void, dead: () => void): Heartbeat {
  let heardAt = clock.now();
  let deadline: number | undefined;
  let stop: Unsubscribe | undefined;
  const arm = (ms: number) => {
    stop?.();
    stop = clock.after(ms, look);
  };
  const ask = () => {
    deadline = clock.now() + ANSWER_MS;
    arm(ANSWER_MS);
    ping();
  };
  const look = () => {
    const now = clock.now();
    const silent = now - heardAt;
    if (deadline !== undefined) {
      if (now >= deadline) dead();
      else arm(deadline - now);
    } else if (silent < SILENCE_MS) arm(SILENCE_MS - silent);
    // In the background the network is left alone; onWake asks.
    else if (visible()) ask();
    else arm(SILENCE_MS);
  };
  arm(SILENCE_MS);
  return {
    heard() {
      heardAt = clock.now();
      if (deadline === undefined) return;
      deadline = undefined;
      arm(SILENCE_MS);
    },
    wake() {
      if (deadline === undefined && clock.now() - heardAt >= WAKE_MS) ask();
    },
    stop: () => stop?.(),
  };
}

/** How good the line is, by the median of its last round trips in ms. */
export function quality(trips: readonly number[]): Quality {
  const rttMs = trips.toSorted((a, b) => a - b)[trips.length >> 1];
  if (rttMs === undefined) return { level: 'unknown' };
  return { rttMs, level: rttMs < 150 ? 'good' : rttMs < 400 ? 'fair' : 'poor' };
}
