/** Typing in one room: what one says of oneself, and what is shown of others (docs/protocol.md, section 17). */

import type { Chat, Unsubscribe } from '../types.js';
import type { ServerFrame } from '../wire.js';
import { cell } from './cell.js';

/** While keys come, it is said again so often. */
export const SAY_MS = 3_000;
/** So long after the last key it is taken back. */
export const PAUSE_MS = 2_000;
/** So long after the frame that said it last, a name goes by itself. */
export const SHOWN_MS = 8_000;

/** Who types in a room. */
export interface Typing {
  /** By id. */
  readonly users: readonly string[];
  /** How many beside them. */
  readonly more: number;
}

const nobody: Typing = { users: [], more: 0 };

/** What one says of oneself. */
export class Keys {
  #saidAt: number | undefined;
  #pause: Unsubscribe | undefined;

  constructor(private readonly chat: Chat, private readonly room: string) {}

  /** A key was pressed. */
  typed(): void {
    const { clock, state } = this.chat;
    // Said later it would not be true any more.
    if (state !== 'connected') return;
    const now = clock.now();
    if (this.#saidAt === undefined || now - this.#saidAt >= SAY_MS) {
      this.#saidAt = now;
      this.#say(true);
    }
    this.#pause?.();
    this.#pause = clock.after(PAUSE_MS, () => this.paused());
  }

  /** No more keys for now. */
  paused(): void {
    if (this.#saidAt !== undefined) this.#say(false);
    this.over();
  }

  /** The server has ended it by itself: by a message, or with the connection. */
  over(): void {
    this.#pause?.();
    this.#saidAt = undefined;
  }

  #say(on: boolean): void {
    // What does not get there, or may not be said, is nobody's loss.
    this.chat.tell({ type: 'typing', room: this.room, on });
  }
}

/** What is shown of others. */
export class Typists {
  readonly shown;
  #end: Unsubscribe | undefined;

  constructor(private readonly chat: Chat, watched: (on: boolean) => void) {
    this.shown = cell<Typing>(nobody, watched);
  }

  take({ users, more }: Extract<ServerFrame, { type: 'typing' }>): void {
    this.#show({ users, more });
    if (users.length + more > 0) this.#end = this.chat.clock.after(SHOWN_MS, () => this.clear());
  }

  /** Somebody has said what they typed. */
  said(user: string): void {
    const { users, more } = this.shown.get();
    if (users.includes(user)) this.shown.set({ users: users.filter((one) => one !== user), more });
  }

  clear(): void {
    if (this.shown.get() !== nobody) this.#show(nobody);
  }

  #show(typing: Typing): void {
    this.#end?.();
    this.shown.set(typing.users.length + typing.more > 0 ? typing : nobody);
  }
}
