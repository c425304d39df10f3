/** Listeners and values that change: the two ways in which the SDK tells. */

import type { Readable, Unsubscribe } from './types.js';

function tell<A extends unknown[]>(
  listeners: Iterable<(...args: A) => void>, args: A, broken: (cause: unknown) => void,
): void {
  for (const listener of [...listeners]) {
    try {
      listener(...args);
    } catch (cause) {
      broken(cause);
    }
  }
}

/** Calls listeners by type. One that throws does not keep the others, or the caller, from going on. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(...args: never[]) => void>>();

  readonly #broken: (cause: unknown) => void;

  constructor(broken: (cause: unknown) => void) {
    this.#broken = broken;
  }

  on(type: keyof Events, listener: (...args: never[]) => void, options?: { signal?: AbortSignal }): Unsubscribe {
    // A wrapper of its own for each call: the same function may listen twice.
    const own = (...args: never[]) => listener(...args);
    const set = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, set);
    if (!options?.signal?.aborted) set.add(own);
    const off = () => void set.delete(own);
    options?.signal?.addEventListener('abort', off, { once: true });
    return off;
  }

  emit(type: keyof Events, ...args: unknown[]): void {
    tell(this.#listeners.get(type) ?? [], args as never[], this.#broken);
  }
}

/** A value computed when asked for after a change, told once per turn however often it changed. */
export class Live<T> implements Readable<T> {
  #value: T | undefined;
  #stale = true;
  #told = true;
  readonly #listeners = new Set<(value: T) => void>();

  readonly #compute: () => T;
  readonly #broken: (cause: unknown) => void;
  /** Told when the first listener comes and when the last one goes. */
  readonly #watched: (on: boolean) => void;

  constructor(
    compute: () => T,
    broken: (cause: unknown) => void,
    watched: (on: boolean) => void = () => undefined,
  ) {
    this.#compute = compute;
    this.#broken = broken;
    this.#watched = watched;
  }

  get(): T {
    if (this.#stale) {
      this.#value = this.#compute();
      this.#stale = false;
    }
    return this.#value as T;
  }

  subscribe(listener: (value: T) => void): Unsubscribe {
    const own = (value: T) => listener(value);
    this.#listeners.add(own);
    if (this.#listeners.size === 1) this.#watched(true);
    own(this.get());
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.#watched(false);
    };
  }

  /** What it is computed from has changed. */
  touch(): void {
    this.#stale = true;
    if (!this.#told) return;
    this.#told = false;
    queueMicrotask(() => {
      this.#told = true;
      tell(this.#listeners, [this.get()], this.#broken);
    });
  }
}
