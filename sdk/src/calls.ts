/**
 * Requests and their replies. A *request* belongs to one connection and may stay unanswered; a *call* waits for a
 * connection, is asked again on the next one, and ends in an answer, a refusal or a timeout.
 */

import type { Clock } from './env.js';
import { ChatError } from './errors.js';
import type { ClientFrame, ServerFrame } from './wire.js';

type Without<T> = T extends { req: number } ? Omit<T, 'req'> : never;
/** A client frame before it has its number. */
export type Request = Without<ClientFrame>;
/** A server frame that answers one. */
export type Reply = Extract<ServerFrame, { req: number } | { req?: number }>;
type Of<T extends Reply['type']> = Extract<Reply, { type: T }>;

/** How long a call may take, waiting for a connection included. */
export const CALL_MS = 30_000;
/** Before a call refused for now is tried again, if the server does not say. */
export const RETRY_MS = 1000;

interface Call {
  frame: Request;
  done: (reply: Reply) => void;
  failed: (error: ChatError) => void;
  cancel: () => void;
}

export function asError(frame: Of<'error'>): ChatError {
  return new ChatError(frame.code, frame.message, frame.retryable, frame.field, frame.retry_after_ms);
}

export class Calls {
  #count = 0;
  /** Caught up: everything may go out. */
  ready = false;
  #transmit: ((frame: ClientFrame) => void) | undefined;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #calls = new Set<Call>();

  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A connection takes frames. */
  up(transmit: (frame: ClientFrame) => void): void {
    this.#transmit = transmit;
    for (const call of this.#calls) this.#ask(call);
  }

  /** The connection is gone: its requests will not be answered. */
  down(): void {
    this.#transmit = undefined;
    this.ready = false;
    this.#waiting.clear();
  }

  /** Sends at once, if there is a connection; its number, or nothing. */
  request(frame: Request, answered: (reply: Reply) => void): number | undefined {
    if (!this.#transmit) return undefined;
    const req = ++this.#count;
    this.#waiting.set(req, answered);
    this.#transmit({ ...frame, req } as ClientFrame);
    return req;
  }

  /** Asks until there is an answer of this type. Safe to repeat: reads, or commands with a key. */
  call<T extends Reply['type']>(frame: Request, _type: T): Promise<Of<T>> {
    return new Promise((resolve, reject) => {
      const end = () => {
        cancel();
        call.cancel();
        this.#calls.delete(call);
      };
      const call: Call = {
        frame,
        cancel: () => undefined,
        done: (reply) => (end(), resolve(reply as Of<T>)),
        failed: (error) => (end(), reject(error)),
      };
      let cancel = this.#clock.after(CALL_MS, () =>
        call.failed(new ChatError('timeout', 'no answer within 30 s', true)),
      );
      this.#calls.add(call);
      this.#ask(call);
    });
  }

  /** Hands a reply to whom it answers. */
  reply(frame: ServerFrame): boolean {
    const req = 'req' in frame ? frame.req : undefined;
    const answered = req === undefined ? undefined : this.#waiting.get(req);
    if (!answered) return false;
    this.#waiting.delete(req!);
    answered(frame as Reply);
    return true;
  }

  /** Nothing will be answered any more. */
  end(error: ChatError): void {
    this.down();
    for (const call of [...this.#calls]) call.failed(error);
  }

  #ask(call: Call): void {
    call.cancel();
    this.request(call.frame, (reply) => {
      if (reply.type !== 'error') return call.done(reply);
      if (!reply.retryable) return call.failed(asError(reply));
      call.cancel = this.#clock.after(reply.retry_after_ms ?? RETRY_MS, () => this.#ask(call));
    });
  }
}
