/** A value that is told when it changes. Its listeners may come and go; it lives as long as who holds it. */

import type { Readable } from '../types.js';

export interface Cell<T> extends Readable<T> {
  set(value: T): void;
}

/** `watched` is told when the first listener comes and when the last one goes. */
export function cell<T>(value: T, watched?: (on: boolean) => void): Cell<T> {
  const listeners = new Set<(value: T) => void>();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const listener of [...listeners]) {
        try {
          listener(value);
        } catch (cause) {
          // Keeps neither the others nor the chat from going on.
          (globalThis.reportError ?? console.error)(cause);
        }
      }
    },
    subscribe(listener) {
      const own = (now: T) => listener(now);
      listeners.add(own);
      if (listeners.size === 1) watched?.(true);
      own(value);
      return () => {
        if (listeners.delete(own) && !listeners.size) watched?.(false);
      };
    },
  };
}
