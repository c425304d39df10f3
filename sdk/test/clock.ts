/** Time that moves only when told, and waiting for what promises have queued. */

import type { Clock, Page } from '../src/env.js';

/** Lets promises, and IndexedDB's turns, run until nothing is queued any more. */
export async function settle(turns = 12): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export class FakeClock implements Clock {
  private time = 1_700_000_000_000;
  private readonly timers = new Map<number, { at: number; run: () => void }>();
  private count = 0;

  now(): number {
    return this.time;
  }

  after(ms: number, run: () => void): () => void {
    const id = ++this.count;
    this.timers.set(id, { at: this.time + ms, run });
    return () => void this.timers.delete(id);
  }

  /** Timers run in their order, each with everything that follows from it. */
  async advance(ms: number): Promise<void> {
    await settle();
    const end = this.time + ms;
    for (;;) {
      const next = [...this.timers].filter(([, { at }]) => at <= end).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0];
      if (!next) break;
      const [id, { at, run }] = next;
      this.timers.delete(id);
      this.time = Math.max(this.time, at);
      run();
      await settle();
    }
    this.time = end;
    await settle();
  }

  /** The machine sleeps: time passes, no timer runs; then all that are due do. */
  async sleep(ms: number): Promise<void> {
    this.time += ms;
    await this.advance(0);
  }
}

export class FakePage implements Page {
  shown = true;
  private readonly listeners = new Set<() => void>();

  visible(): boolean {
    return this.shown;
  }

  onWake(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  wake(): void {
    for (const listener of this.listeners) listener();
  }
}
