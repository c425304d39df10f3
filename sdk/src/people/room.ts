/** The people of one room: presence, typing and receipts, each kept up to date while somebody subscribes to it. */

import type { Chat, Readable, Unsubscribe } from '../types.js';
import type { Event, Person, Standing } from '../wire.js';
import { cell } from './cell.js';
import { presenceAfter, type Presence, type PresenceFrame } from './presence.js';
import { Receipts } from './receipts.js';
import { Keys, Typists, type Typing } from './typing.js';
import type { Watch } from './watch.js';

/** Changes of who is in within this time are one question. */
export const ASK_MS = 300;

/** Before a question refused for now is asked again, if the server does not say. */
const RETRY_MS = 1_000;

export class RoomPeople {
  /**
   * Who is online, as far as it is known: absent until the server has told. It says what was true last; without a
   * connection nobody knows.
   */
  readonly presence: Readable<Presence | undefined>;
  /** Who types, oneself left out. */
  readonly typing: Readable<Typing>;
  /** How far the others are. While nobody subscribes it has only what came by itself: see `whole`. */
  readonly receipts: Readable<Receipts>;
  /** For the one who holds this room: what the server says. */
  readonly typists: Typists;
  readonly #presence;
  readonly #receipts;
  readonly #keys: Keys;
  #looking = 0;
  #following = false;
  #asking: Unsubscribe | undefined;

  constructor(readonly id: string, private readonly chat: Chat, private readonly watch: Watch) {
    const look = (on: boolean) => this.#look(on);
    this.presence = this.#presence = cell<Presence | undefined>(undefined, look);
    this.typists = new Typists(chat, look);
    this.typing = this.typists.shown;
    this.receipts = this.#receipts = cell(new Receipts(), (on) => {
      this.#following = on;
      if (on) this.#ask(0);
    });
    this.#keys = new Keys(chat, id);
  }

  /** A key was pressed in a message to this room: said as often as it has to be, and taken back 2 s after the last one. */
  typed(): void {
    this.#keys.typed();
  }

  /** What was typed is gone, or left. After a message there is no need to. */
  paused(): void {
    this.#keys.paused();
  }

  /** Its members by id: who is online, and when the others were last, to the minute. At most `max`, in pages. */
  async who(max = 200): Promise<Person[]> {
    const all: Person[] = [];
    for (;;) {
      const { people, more } = await this.chat.ask({ type: 'who', room: this.id, after: all.at(-1)?.user });
      all.push(...people);
      if (!more || !people.length || all.length >= max) return all.slice(0, max);
    }
  }

  /**
   * Who has received and read the message `seq`, and when. Rejects with `too_many` in rooms where nobody is told; empty
   * if one hides it oneself.
   */
  async readers(seq: number): Promise<Standing[]> {
    const { members } = await this.chat.ask({ type: 'receipts', room: this.id, seq });
    return members;
  }

  // What the server says; `People` hands it here.

  present(frame: PresenceFrame): void {
    const now = presenceAfter(this.#presence.get(), frame);
    if (now) this.#presence.set(now);
    else if (this.watch.has(this.id)) this.watch.again();
  }

  moved(members: Iterable<readonly [string, number, number]>): void {
    // Of a direct room there is only one other.
    const whole = this.chat.room(this.id).info.get()?.kind === 'direct';
    this.#receipts.set(this.#receipts.get().moved(members, whole));
  }

  happened({ kind, from: [author] }: Event): void {
    if (kind === 'message') {
      this.typists.said(author);
      // Whichever device it was written on: the server takes it as the end.
      if (author === this.chat.user?.id) this.#keys.over();
    } else if (kind === 'member') this.#ask();
  }

  up(): void {
    this.#ask(0);
  }

  down(): void {
    this.typists.clear();
    this.#keys.over();
    this.#asking?.();
  }

  /** Whether one shows receipts has changed: what was known is void. */
  forget(): void {
    this.#receipts.set(new Receipts());
    this.#ask();
  }

  #look(on: boolean): void {
    this.#looking += on ? 1 : -1;
    if (this.#looking === (on ? 1 : 0)) this.watch.look(this.id, on);
    // What is not looked at is not told either.
    if (!this.#looking) {
      this.typists.clear();
      this.#presence.set(undefined);
    }
  }

  #ask(ms = ASK_MS): void {
    if (!this.#following) return;
    this.#asking?.();
    this.#asking = this.chat.clock.after(ms, () => {
      // Without a connection it is not asked; the next one does.
      this.chat.tell({ type: 'receipts', room: this.id }, (reply) => {
        if (reply.type === 'receipts') this.#receipts.set(this.#receipts.get().stand(reply.members));
        else if (reply.type === 'error' && reply.retryable) this.#ask(reply.retry_after_ms ?? RETRY_MS);
      });
    });
  }
}
