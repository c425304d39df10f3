/** One room as a page uses it. Holds nothing itself. */

import type { Core } from './chat.js';
import { Emitter, live } from './emitter.js';
import type { Message, Room, RoomEvents, RoomInfo } from './types.js';
import { infoOf, windowOf } from './view.js';

/** A room, and the ways in which the chat tells it what happened. */
export interface RoomFacade extends Room {
  readonly events: Emitter<RoomEvents>;
  /** Something about the room has changed. */
  touch(): void;
}

export function roomFacade(id: string, core: Core): RoomFacade {
  const { outbox, broken, me } = core;
  const log = () => core.log(id);
  const events = new Emitter<RoomEvents>(broken);
  const info = live<RoomInfo | undefined>(() => {
    const known = log();
    return known && infoOf(known, me());
  }, broken);
  const messages = live<readonly Message[]>(
    () => windowOf(log(), outbox.of(id), me()),
    broken,
    (on) => core.opened(id, on),
  );
  return {
    id,
    info,
    messages,
    events,
    get complete() {
      return log()?.low === 1;
    },
    touch() {
      info.touch();
      messages.touch();
      const now = info.get();
      if (now) events.emit('info', now);
    },
    on: (type, listener, options) => events.on(type, listener, options),
    send: (text) => outbox.send(id, text),
    resend: (key) => outbox.resend(key),
    discard: (key) => outbox.discard(key),
    history: () => core.history(id),
    older: () => core.older(id),
    markRead: (seq) => core.markRead(id, seq),
    join: () => core.join(id),
    leave: () => core.leave(id),
    add: (user) => core.add(id, user),
    remove: (user) => core.remove(id, user),
    members: () => core.members(id),
  };
}
