/** Listeners and values that change: the two ways in which the SDK tells. */

import type { Readable, Unsubscribe } from './types.js';

/** Tells all. One that throws is reported as an uncaught error is, and keeps neither the others nor the caller from going on. */
function tell<A extends unknown[]>(listeners: Iterable<(...args: A) => void>, args: A): void {
  for (const listener of [...listeners]) {
    try {
      listener(...args);
    } catch (cause) {
      (globalThis.reportError ?? console.error)(cause);
    }
  }
}

/** Calls listeners by type. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(...args: never[]) => void>>();

  on(type: keyof Events, listener: (...args: never[]) => void, { signal }: { signal?: AbortSignal } = {}): Unsubscribe {
    // A wrapper of its own for each call: the same function may listen twice.
    const own = (...args: never[]) => listener(...args);
    const set = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, set);
    if (!signal?.aborted) set.add(own);
    const off = () => void set.delete(own);
    signal?.addEventListener('abort', off);
    return off;
  }

  emit(type: keyof Events, ...args: unknown[]): void {
    tell(this.#listeners.get(type) ?? [], args as never[]);
  }
}

/**
 * A value computed when asked for after a change, told once per turn however often it changed.
 * `watched` is told when the first listener comes and when the last one goes.
 */
export function live<T>(compute: () => T, watched?: (on: boolean) => void): Readable<T> & { touch(): void } {
  const listeners = new Set<(value: T) => void>();
  let value: T;
  let stale = true;
  let told = true;
  const get = () => {
    if (stale) value = compute();
    stale = false;
    return value;
  };
  return {
    get,
    subscribe(listener) {
      const own = (now: T) => listener(now);
      listeners.add(own);
      if (listeners.size === 1) watched?.(true);
      own(get());
      return () => {
        if (listeners.delete(own) && !listeners.size) watched?.(false);
      };
    },
    /** What it is computed from has changed. */
    touch() {
      stale = true;
      if (!told) return;
      told = false;
      queueMicrotask(() => {
        told = true;
        if (listeners.size) tell(listeners, [get()]);
      });
    },
  };
}
