// A part of the page that comes with its own chunk, on first use.
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';

/** A component that shows nothing until its code is there. The worker keeps it beforehand. */
export function later<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  const loaded = signal<ComponentType<P> | undefined>(undefined);
  let asked = false;
  return function Later(props: P) {
    const Part = loaded.value;
    if (Part) return <Part {...props} />;
    if (!asked) {
      asked = true;
      load().then(
        (part) => (loaded.value = part),
        () => {
          // The server has a newer build without this file: the next showing asks again, and a
          // page loaded anew has the new one.
          asked = false;
          if (navigator.onLine) location.reload();
        },
      );
    }
    return null;
  };
}
