/**
 * The connection: opens a socket, says hello, notices the end, comes back by the schedule. It owns the public state.
 * What the frames mean is not its business. Lives as long as the chat.
 */

import { comeBack, silentWait, STEPS_MS, wait } from './backoff.js';
import type { Calls, Loose } from './calls.js';
import type { Emitter } from './emitter.js';
import type { Clock, OpenSocket, Page, Random, SocketLike } from './env.js';
import { ChatError } from './errors.js';
import { heartbeat, type Heartbeat } from './heartbeat.js';
import type { ChatEvents, Reason, State, StateDetail, Unsubscribe } from './types.js';
import type { ClientFrame, ServerFrame } from './wire.js';

export const PROTOCOL = 'chinwag.v1.json';
/** From opening the socket to `welcome`. */
export const OPEN_MS = 10_000;
/** A connection that lasted so long starts the schedule afresh when it is lost. */
export const STABLE_MS = 10_000;
/** Touching the page starts a try at most so often. */
export const WAKE_TRY_MS = 2_000;

export interface LinkCore {
  url: string;
  token: () => Promise<string>;
  socket: OpenSocket;
  clock: Clock;
  random: Random;
  page: Page;
  /** The rest of `hello`, read from the store. */
  hello(): Promise<Loose<Omit<Extract<ClientFrame, { type: 'hello' }>, 'type' | 'v' | 'token'>>>;
  ping(): void;
  receive(frame: ServerFrame): void;
  calls: Pick<Calls, 'up'>;
  down(): void;
  events: Emitter<ChatEvents>;
}

interface Live {
  socket: SocketLike;
  heartbeat?: Heartbeat;
  /** The token was fetched for this very connection. */
  fresh: boolean;
  /** When it had everything; not yet: infinity. */
  caughtUpAt: number;
}

export class Link {
  detail: StateDetail = { state: 'disconnected', reason: 'start', attempt: 0 };
  #live: Live | undefined;
  #token: string | undefined;
  #attempt = 0;
  #triedAt = -Infinity;
  #hint: number | undefined;
  /** Ends what is waited for: `welcome`, or the next try. */
  #cancel: Unsubscribe | undefined;
  #unwake: Unsubscribe | undefined;

  constructor(private readonly core: LinkCore) {}

  /** Tries at once, with the schedule from its start. */
  start(): void {
    this.#unwake ??= this.core.page.onWake(() => this.#wake());
    if (this.#live) return;
    this.#attempt = 0;
    this.#token = undefined;
    this.#try(this.detail.state === 'disconnected' ? 'connecting' : 'reconnecting', 'start');
  }

  stop(): void {
    this.#unwake?.();
    this.#unwake = undefined;
    this.#drop();
    this.#tell('disconnected', 'left');
  }

  /** Fetches another token; for a live connection that is asked for one. */
  async renew(): Promise<string> {
    this.#token = undefined;
    return (this.#token = await this.core.token());
  }

  /** The server announced that it goes. */
  restart(afterMs: number, spreadMs: number): void {
    this.#hint = afterMs + Math.floor(spreadMs * this.core.random());
  }

  #wake(): void {
    const { clock } = this.core;
    if (this.#live) return this.#live.heartbeat?.wake();
    const { state, reason } = this.detail;
    if (state === 'disconnected' || reason === 'refused' || reason === 'signed_out') return;
    if (this.#hint !== undefined || clock.now() - this.#triedAt < WAKE_TRY_MS) return;
    this.#attempt = 0;
    this.#try('reconnecting', 'start');
  }

  /** A try begins. `state`: what is told, if it is not a silent one. */
  #try(state: State | undefined, reason: Reason): void {
    const { url, clock } = this.core;
    this.#cancel?.();
    this.#hint = undefined;
    this.#triedAt = clock.now();
    if (state) this.#tell(state, reason, 0);
    // Who was told may have left.
    if (!this.#unwake) return;
    this.#cancel = clock.after(OPEN_MS, () => this.#lost('silent'));
    let socket: SocketLike;
    try {
      socket = this.core.socket(url, PROTOCOL);
    } catch {
      // A URL that the page may not open, for example: it fails like a socket that never opened.
      return this.#lost('closed');
    }
    const live: Live = (this.#live = { socket, fresh: false, caughtUpAt: Infinity });
    socket.onopen = () => this.#live === live && void this.#hello(live);
    socket.onclose = ({ code }) => this.#live === live && this.#lost('closed', code);
    socket.onmessage = ({ data }) => this.#live === live && this.#receive(live, data);
  }

  async #hello(live: Live): Promise<void> {
    try {
      if (this.#token === undefined) {
        live.fresh = true;
        await this.renew();
      }
      const rest = await this.core.hello();
      if (this.#live === live) this.#transmit({ type: 'hello', v: 1, token: this.#token!, ...rest });
    } catch (error) {
      if (this.#live === live) this.#lost(signedOut(error) ? 'signed_out' : 'token');
    }
  }

  #transmit(frame: Loose<ClientFrame>): void {
    this.#live?.socket.send(JSON.stringify(frame));
  }

  #receive(live: Live, data: unknown): void {
    let frame: ServerFrame;
    try {
      frame = JSON.parse(data as string) as ServerFrame;
    } catch {
      return this.#lost('closed');
    }
    live.heartbeat?.heard();
    if (frame.type === 'welcome') {
      this.#cancel?.();
      const { clock, page } = this.core;
      live.heartbeat = heartbeat(clock, () => page.visible(), () => this.core.ping(), () => this.#lost('silent'));
      this.core.calls.up((out) => this.#live === live && this.#transmit(out));
    }
    this.core.receive(frame);
    if (frame.type === 'caught_up' && live.caughtUpAt === Infinity && this.#live === live) {
      live.caughtUpAt = this.core.clock.now();
      this.#tell('connected', 'ready');
    }
  }

  #drop(): Live | undefined {
    const live = this.#live;
    this.#cancel?.();
    if (!live) return undefined;
    this.#live = undefined;
    live.heartbeat?.stop();
    live.socket.close();
    this.core.down();
    return live;
  }

  #lost(reason: Reason, code?: number): void {
    const { clock, random } = this.core;
    const live = this.#drop();
    const upMs = clock.now() - (live?.caughtUpAt ?? Infinity);
    const never = upMs < 0;
    const stable = upMs >= STABLE_MS;
    if (stable) this.#attempt = 0;
    const back = comeBack(code);
    if (back === 'never') return this.#tell('failed', 'refused', undefined, code);
    if (reason === 'signed_out') return this.#tell('failed', reason);
    if (back === 'token') {
      this.#token = undefined;
      if (live?.fresh && never) return this.#tell('failed', 'signed_out', undefined, code);
      if (stable || never) return this.#try(this.#quiet(), 'token');
    }
    if (back === 'later') this.#attempt = Math.max(this.#attempt, STEPS_MS.length - 1);
    // "Later" means not at once, whatever chance says.
    const floor = back === 'later' ? STEPS_MS.at(-1)! / 2 : 0;
    const hint = this.#hint;
    const planned = hint ?? wait(this.#attempt, random);
    const ms = planned === undefined ? silentWait(random) : Math.max(planned, floor);
    if (planned !== undefined) this.#attempt += 1;
    const why = hint !== undefined ? 'restart' : back === 'later' ? 'later' : reason;
    this.#cancel = clock.after(ms, () => this.#try(this.#quiet(), why));
    this.#tell(planned === undefined ? 'failed' : 'reconnecting', why, ms, code);
  }

  /** The state that a try by itself shows: none while `failed` stands. */
  #quiet(): State | undefined {
    return this.detail.state === 'failed' ? undefined : 'reconnecting';
  }

  #tell(state: State, reason: Reason, retryInMs?: number, closeCode?: number): void {
    this.detail = {
      state,
      reason,
      attempt: state === 'connected' ? 0 : this.#attempt,
      retryInMs,
      closeCode,
    };
    this.core.events.emit('state', state, this.detail);
  }
}

function signedOut(error: unknown): boolean {
  return error instanceof ChatError && !error.retryable;
}
