// The device's clock as a signal, turning only while somebody looks at it.
import { signal, type ReadonlySignal } from '@preact/signals';

/** The time in ms, renewed every `stepMs` while it is watched. */
export function ticking(stepMs: number): ReadonlySignal<number> {
  let timer: ReturnType<typeof setInterval> | undefined;
  const now = signal(Date.now(), {
    watched() {
      now.value = Date.now();
      timer = setInterval(() => (now.value = Date.now()), stepMs);
    },
    unwatched() {
      clearInterval(timer);
    },
  });
  return now;
}
