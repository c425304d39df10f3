/**
 * Requests and their replies. A *request* belongs to one connection and may stay unanswered; a *call* waits for a
 * connection, is asked again on the next one, and ends in an answer, a refusal or a timeout.
 */

import type { Clock } from './env.js';
import { ChatError } from './errors.js';
import type { Unsubscribe } from './types.js';
import type { ClientFrame, ServerFrame } from './wire.js';

/** As JSON takes it: a field that is undefined is left out. */
export type Loose<T> = { [K in keyof T]: Record<never, never> extends Pick<T, K> ? T[K] | undefined : T[K] };
type Without<T> = T extends { req: number } ? Loose<Omit<T, 'req'>> : never;
/** A client frame before it has its number. */
export type Request = Without<ClientFrame>;
/** The types that answer, where it is not `ack`. */
interface Answers {
  room: 'room';
  history: 'page';
  members: 'members';
  profiles: 'profiles';
  directory: 'directory';
  invite: 'invite';
  invites: 'invites';
  invitation: 'invitation';
  edits: 'edits';
  who: 'who';
  receipts: 'receipts';
}
type Keyless<T> = T extends { key: string } ? Omit<T, 'key'> : never;
/** A command that is waited for, before it has its key. */
export type Command = Keyless<Exclude<Request, { type: 'send' | 'edit' | 'redact' | 'react' | 'pin' | 'after' }>>;
/** A server frame that answers one. */
export type Reply = Extract<ServerFrame, { req: number } | { req?: number }>;
/** What answers a question. */
export type Answer<F extends Request> = F extends { type: infer T extends keyof Answers } ? Of<Answers[T]> : Reply;
type Of<T extends Reply['type']> = Extract<Reply, { type: T }>;

/** How long a call may take, waiting for a connection included. */
export const CALL_MS = 30_000;
/** Before a call refused for now is tried again, if the server does not say. */
export const RETRY_MS = 1000;

export function asError(frame: Of<'error'>): ChatError {
  return new ChatError(frame.code, frame.message, frame.retryable, frame.field, frame.retry_after_ms);
}

export class Calls {
  #count = 0;
  /** Caught up: everything may go out. */
  ready = false;
  #transmit: ((frame: ClientFrame) => void) | undefined;
  readonly #waiting = new Map<number, ((reply: Reply) => void) | undefined>();
  /** How to ask again, and how to give up. */
  readonly #calls = new Map<(anew?: boolean) => void, (error: ChatError) => void>();

  constructor(private readonly core: { clock: Clock }) {}

  /** A connection takes frames. */
  up(transmit: (frame: ClientFrame) => void): void {
    this.#transmit = transmit;
    for (const ask of this.#calls.keys()) ask(true);
  }

  /** The connection is gone: its requests will not be answered. */
  down(): void {
    this.#transmit = undefined;
    this.ready = false;
    this.#waiting.clear();
  }

  /** Sends at once, if there is a connection; its number, or nothing. */
  request(frame: Request, answered?: (reply: Reply) => void): number | undefined {
    if (!this.#transmit) return undefined;
    const req = ++this.#count;
    this.#waiting.set(req, answered);
    this.#transmit({ ...frame, req } as ClientFrame);
    return req;
  }

  /** Asks until there is an answer, of this type. Safe to repeat: reads, or commands with a key. */
  call<T extends Reply['type']>(frame: Request): Promise<Of<T>> {
    return new Promise((resolve, reject) => {
      let cancel: Unsubscribe | undefined;
      let over = false;
      const end = () => {
        expire();
        cancel?.();
        this.#calls.delete(ask);
      };
      const fail = (error: ChatError) => {
        end();
        reject(error);
      };
      const ask = (anew?: boolean) => {
        cancel?.();
        if (over && anew) return end();
        this.request(frame, (reply) => {
          if (reply.type !== 'error') {
            end();
            resolve(reply as Of<T>);
          } else if (reply.retryable) cancel = this.core.clock.after(reply.retry_after_ms ?? RETRY_MS, ask);
          else fail(asError(reply));
        });
      };
      const expire = this.core.clock.after(CALL_MS, () => {
        // A command that was refused for now keeps its room shut on this connection until it comes again.
        over = 'key' in frame;
        (over ? reject : fail)(new ChatError('timeout', undefined, true));
      });
      this.#calls.set(ask, fail);
      ask();
    });
  }

  /** Hands a reply to whom it answers. */
  reply(frame: ServerFrame): boolean {
    const { req } = frame as { req?: number };
    const answered = this.#waiting.get(req!);
    this.#waiting.delete(req!);
    answered?.(frame as Reply);
    return answered !== undefined;
  }

  /** Nothing will be answered any more. */
  end(error: ChatError): void {
    this.down();
    for (const fail of [...this.#calls.values()]) fail(error);
  }
}
