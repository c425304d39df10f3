/** One room as a page uses it. Holds nothing itself. */

import type { Core } from './chat.js';
import type { Command } from './commands.js';
import { Emitter, live } from './emitter.js';
import type { Message, Room, RoomEvents } from './types.js';
import { windowOf } from './view.js';

/** A room, and the ways in which the chat tells it what happened. */
export interface RoomFacade extends Room {
  readonly events: Emitter<RoomEvents>;
  /** Something about the room has changed. */
  touch(): void;
}

export function roomFacade(id: string, core: Core): RoomFacade {
  const { outbox, me } = core;
  const log = () => core.log(id);
  const command = async (one: Command) => void (await core.command(one));
  const events = new Emitter<RoomEvents>();
  const info = live(() => core.info(id));
  const messages = live<readonly Message[]>(
    () => windowOf(log(), outbox.of(id), me()),
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
    },
    on: (type, listener, options) => events.on(type, listener, options),
    send: (text) => outbox.send(id, text),
    resend: (key) => outbox.resend(key),
    discard: (key) => outbox.discard(key),
    history: () => core.history(id),
    older: () => core.older(id),
    markRead: (seq) => core.markRead(id, seq),
    join: () => command({ type: 'join', room: id }),
    leave: () => command({ type: 'leave', room: id }),
    add: (user) => command({ type: 'add', room: id, user }),
    remove: (user) => command({ type: 'remove', room: id, user }),
    members: () => core.members(id),
  };
}
