/**
 * The outer world as the SDK sees it: socket, clock, chance and page. Everything is passed in, so that
 * tests run without a network and without waiting; here are the browser's own.
 */

import type { Unsubscribe } from './types.js';

/** Wall-clock time and timers. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` once after `ms`; the returned function cancels it. */
  after(ms: number, run: () => void): Unsubscribe;
}

/** The part of a WebSocket that is used. */
export interface SocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** Opens a socket. */
export type OpenSocket = (url: string, protocol: string) => SocketLike;

/** What the SDK wants to know of the page. */
export interface Page {
  /** Whether somebody may be looking: heartbeats are sent only then. */
  visible(): boolean;
  /** Calls back when it is worth trying at once: network back, page shown, woken up, touched. */
  onWake(listener: () => void): Unsubscribe;
}

/** Numbers in [0, 1). */
export type Random = () => number;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** A socket to `/ws`, or to an http address, as one of WebSocket. */
export const browserSocket: OpenSocket = (url, protocol) => {
  const full = new URL(url, globalThis.location?.href);
  full.protocol = full.protocol.replace('http', 'ws');
  return new WebSocket(full, protocol) as unknown as SocketLike;
};

const WAKE = ['online', 'pageshow', 'focus', 'pointerdown', 'visibilitychange'];

/** The page around us; outside a browser it is always visible and never wakes. */
export const browserPage: Page = {
  visible: () => !globalThis.document?.hidden,
  onWake(listener) {
    const off = new AbortController();
    const awake = () => browserPage.visible() && listener();
    // Events of the document reach the window as well.
    for (const type of WAKE) globalThis.addEventListener?.(type, awake, off);
    return () => off.abort();
  },
};
