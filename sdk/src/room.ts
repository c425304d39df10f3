/** One room as a page uses it. Holds nothing itself. */

import type { Core } from './chat.js';
import { Emitter, Live } from './emitter.js';
import type { Message, PageInfo, Readable, Room, RoomEvents, RoomInfo, Sent, Unsubscribe } from './types.js';
import type { Role } from './wire.js';
import { infoOf, windowOf } from './view.js';

export class RoomFacade implements Room {
  readonly info: Readable<RoomInfo | undefined>;
  readonly messages: Readable<readonly Message[]>;
  readonly events: Emitter<RoomEvents>;
  readonly #liveInfo: Live<RoomInfo | undefined>;
  readonly #liveMessages: Live<readonly Message[]>;

  readonly #core: Core;

  constructor(readonly id: string, core: Core) {
    this.#core = core;
    const { broken } = core;
    this.events = new Emitter(broken);
    const log = () => core.book.logs.get(id);
    this.info = this.#liveInfo = new Live<RoomInfo | undefined>(() => {
      const known = log();
      return known && infoOf(known, core.me());
    }, broken);
    this.messages = this.#liveMessages = new Live<readonly Message[]>(
      () => windowOf(log(), core.outbox.of(id), core.me()),
      broken,
      (on) => core.opened(id, on),
    );
  }

  get complete(): boolean {
    return this.#core.book.logs.get(this.id)?.low === 1;
  }

  on<K extends keyof RoomEvents>(
    type: K, listener: (value: RoomEvents[K]) => void, options?: { signal?: AbortSignal },
  ): Unsubscribe {
    return this.events.on(type, listener, options);
  }

  /** Something about the room has changed. */
  touch(): void {
    this.#liveInfo.touch();
    this.#liveMessages.touch();
    const info = this.info.get();
    if (info) this.events.emit('info', info);
  }

  send(text: string): Sent {
    return this.#core.outbox.send(this.id, text);
  }

  resend(key: string): Sent | undefined {
    return this.#core.outbox.resend(key);
  }

  discard(key: string): void {
    this.#core.outbox.discard(key);
  }

  history(): Promise<PageInfo> {
    return this.#core.history(this.id);
  }

  older(): Promise<PageInfo> {
    return this.#core.older(this.id);
  }

  markRead(seq?: number): void {
    this.#core.markRead(this.id, seq);
  }

  join(): Promise<void> {
    return this.#core.join(this.id);
  }

  leave(): Promise<void> {
    return this.#core.leave(this.id);
  }

  add(user: string): Promise<void> {
    return this.#core.add(this.id, user);
  }

  remove(user: string): Promise<void> {
    return this.#core.remove(this.id, user);
  }

  members(): Promise<Array<{ user: string; role: Role }>> {
    return this.#core.members(this.id);
  }
}
