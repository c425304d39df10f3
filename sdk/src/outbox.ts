/**
 * What the user has written, changed or taken back and the server has not stored: durable first, then sent in order per
 * room, again after silence or reconnecting, under the same key, until it is acknowledged or refused for good
 * (docs/protocol.md, section 4).
 */

import { asError, RETRY_MS, type Calls, type Reply, type Request } from './calls.js';
import type { Clock } from './env.js';
import { ChatError } from './errors.js';
import type { Journal } from './journal.js';
import type { Waiting, Writing } from './store.js';
import type { Message, Sent, Unsubscribe } from './types.js';
import type { ErrorCode, Event, PublicLimits } from './wire.js';

/** Without an ack for so long, a message is sent again. */
export const RESEND_MS = 5_000;
/** Messages of one room on their way at once. */
export const WINDOW = 8;

/** More than a command gets with key, room and number, in bytes. */
const ENVELOPE = 200;

export interface Entry extends Waiting {
  /** As the store has it. */
  kept: Waiting;
  status: Message['status'];
  /** Its place, once acknowledged. */
  seq?: number | undefined;
  error?: ChatError | undefined;
  /** Not before it is durable. */
  stored: boolean;
  /** The latest request that waits for its ack. */
  flight?: { req: number; resend: Unsubscribe } | undefined;
  sent: Promise<{ seq: number; ts: number }>;
  settle: (end: { seq: number; ts: number } | Promise<never>) => void;
}

export interface OutboxCore {
  calls: Calls;
  journal: Journal;
  clock: Clock;
  newKey(): string;
  /** An entry has come, gone or changed its status. */
  moved(entry: Entry): void;
}

export class Outbox {
  readonly #entries = new Map<string, Entry>();
  readonly #paused = new Map<string, Unsubscribe>();
  /** Rooms refused for now: until nothing waits, one at a time, as each refusal refuses all that follow. */
  readonly #slow = new Set<string>();
  #order = 0;
  /** Keys whose removal from the store is under way. */
  readonly #removing = new Set<string>();
  /** The server's, once it has told them. */
  limits: Pick<PublicLimits, 'frame_bytes'> = { frame_bytes: 65_536 };

  constructor(private readonly core: OutboxCore) {}

  /** Takes what the store kept; entries known already stay. */
  load(stored: Waiting[]): void {
    for (const one of stored.sort((a, b) => a.order - b.order)) {
      if (this.#entries.has(one.key) || this.#removing.has(one.key)) continue;
      const entry = this.#enter(one, true);
      if (one.failed) this.#fail(entry, new ChatError(one.failed.code as ErrorCode, one.failed.message));
      else this.core.moved(entry);
    }
  }

  of(room: string): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.room === room);
  }

  post(room: string, frame: Writing): Sent {
    const ts = this.core.clock.now();
    this.#order = Math.max(this.#order + 1, ts * 1000);
    const entry = this.#enter({ key: this.core.newKey(), room, frame, order: this.#order, ts }, false);
    // Sent, it would end the connection, and again after each reload. Shorter ones are the server's to refuse.
    if (new Blob([JSON.stringify(frame)]).size + ENVELOPE > this.limits.frame_bytes) {
      this.#fail(entry, new ChatError('too_long'));
      return entry;
    }
    void this.#store(entry).then(() => {
      entry.stored = true;
      this.#flush(room);
    });
    this.core.moved(entry);
    return entry;
  }

  /** A failed one again, as a new command: under the old key the refusal would stand. */
  resend(key: string): Sent | undefined {
    const entry = this.#entries.get(key);
    if (entry?.status !== 'failed') return undefined;
    this.discard(key);
    return this.post(entry.room, entry.frame);
  }

  discard(key: string): void {
    const entry = this.#entries.get(key);
    if (entry?.status !== 'failed') return;
    this.#entries.delete(key);
    this.#remove(entry);
    this.core.moved(entry);
  }

  /** Caught up: what waits may go. */
  up(): void {
    for (const { room } of [...this.#entries.values()]) this.#flush(room);
  }

  /** What was on its way has an unknown outcome: it goes again, under its key. */
  down(): void {
    for (const cancel of this.#paused.values()) cancel();
    this.#paused.clear();
    for (const entry of this.#entries.values()) this.#land(entry);
  }

  /** An own event: the line replaces the entry. */
  arrived(event: Event): void {
    const entry = this.#entries.get(event.key);
    if (!entry) return;
    this.#done(entry, event.seq, event.ts);
    this.#entries.delete(entry.key);
    this.#flush(entry.room);
  }

  /** All lines up to `seq` are held: what was acknowledged up to there has its line, or may not be seen. */
  passed(room: string, seq: number): void {
    for (const entry of this.of(room)) {
      if (entry.status === 'sent' && entry.seq! <= seq) this.#entries.delete(entry.key);
    }
  }

  #enter(waiting: Waiting, stored: boolean): Entry {
    let settle!: Entry['settle'];
    const sent = new Promise<{ seq: number; ts: number }>((resolve) => {
      settle = resolve;
    });
    // Who does not look at `sent` sees the status; an unhandled rejection would add nothing.
    sent.catch(() => undefined);
    const entry: Entry = { ...waiting, kept: waiting, status: 'pending', stored, sent, settle };
    this.#order = Math.max(this.#order, entry.order);
    this.#entries.set(entry.key, entry);
    return entry;
  }

  #store({ kept }: Entry): Promise<void> {
    return this.core.journal.attempt((store) => store.put(kept));
  }

  #remove({ key }: Entry): void {
    this.#removing.add(key);
    void this.core.journal.attempt((store) => store.remove(key)).finally(() => this.#removing.delete(key));
  }

  #flush(room: string): void {
    if (!this.core.calls.ready || this.#paused.has(room)) return;
    let flying = 0;
    for (const entry of this.of(room)) {
      if (entry.status !== 'pending') continue;
      // The order within a room: nothing overtakes what is not durable yet.
      if (!entry.stored || flying++ >= (this.#slow.has(room) ? 1 : WINDOW)) return;
      if (!entry.flight) this.#fly(entry);
    }
    if (!flying) this.#slow.delete(room);
  }

  #fly(entry: Entry): void {
    const { calls, clock } = this.core;
    const { key, room, frame } = entry;
    const req = calls.request({ ...frame, key, room } as Request, (reply) => this.#answered(entry, req!, reply));
    if (req === undefined) return;
    this.#land(entry);
    entry.flight = { req, resend: clock.after(RESEND_MS, () => this.#fly(entry)) };
  }

  #land(entry: Entry): void {
    entry.flight?.resend();
    entry.flight = undefined;
  }

  #answered(entry: Entry, req: number, reply: Reply): void {
    if (entry.status !== 'pending') return;
    if (reply.type === 'ack') {
      this.#done(entry, reply.seq, reply.ts);
      return this.#flush(entry.room);
    }
    if (reply.type !== 'error') return;
    if (!reply.retryable) {
      // What was to go is gone, by another's doing: its event stands for this one.
      if (reply.code === 'gone' && entry.frame.type === 'redact') this.#done(entry, Infinity, entry.ts);
      else this.#fail(entry, asError(reply));
      return this.#flush(entry.room);
    }
    // A later request for the same key is under way: its reply counts.
    if (entry.flight?.req !== req) return;
    this.#land(entry);
    this.#pause(entry.room, reply.retry_after_ms ?? RETRY_MS);
  }

  /** The server refuses the room until the refused one comes again: wait, then go on from there, one by one. */
  #pause(room: string, ms: number): void {
    if (this.#paused.has(room)) return;
    this.#slow.add(room);
    const again = () => {
      this.#paused.delete(room);
      this.#flush(room);
    };
    this.#paused.set(room, this.core.clock.after(ms, again));
  }

  #done(entry: Entry, seq: number, ts: number): void {
    if (entry.status === 'sent') return;
    this.#land(entry);
    entry.status = 'sent';
    entry.seq = seq;
    entry.ts = ts;
    entry.settle({ seq, ts });
    this.#remove(entry);
    this.core.moved(entry);
  }

  #fail(entry: Entry, error: ChatError): void {
    this.#land(entry);
    entry.status = 'failed';
    entry.error = error;
    entry.kept.failed = { code: error.code, message: error.message };
    entry.settle(Promise.reject(error));
    void this.#store(entry);
    this.core.moved(entry);
  }
}
