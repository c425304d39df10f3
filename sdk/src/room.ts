/** One room as a page uses it. Holds nothing itself. */

import type { Core } from './chat.js';
import { Emitter, live } from './emitter.js';
import type { Message, Room, RoomEvents } from './types.js';
import { infoOf, windowOf } from './view.js';

/** A room, and the ways in which the chat tells it what happened. */
export interface RoomFacade extends Room {
  readonly events: Emitter<RoomEvents>;
  /** Something about the room has changed. */
  touch(): void;
}

export function roomFacade(id: string, core: Core): RoomFacade {
  const { outbox, me } = core;
  const log = () => core.log(id);
  const events = new Emitter<RoomEvents>();
  const info = live(() => infoOf(log(), me()));
  const messages = live<readonly Message[]>(
    () => windowOf(log(), outbox.of(id), me()),
    (on) => core.opened(id, on),
  );
  return {
    id,
    chat: core,
    info,
    messages,
    events,
    get complete() {
      return log()?.low === 1;
    },
    touch() {
      info.touch();
      messages.touch();
    },
    on: (...heard) => events.on(...heard),
    // Half a surrogate pair is no text: it would make the whole frame unreadable to the server.
    send: (text, { replyTo, mentions } = {}) => outbox.post(id, { type: 'send', text: text.toWellFormed(), reply_to: replyTo, mentions }),
    post: (frame) => outbox.post(id, frame),
    resend: (key) => outbox.resend(key),
    discard: (key) => outbox.discard(key),
    history: () => core.history(id),
    older: () => core.older(id),
    markRead: (seq) => core.markRead(id, seq),
  };
}
