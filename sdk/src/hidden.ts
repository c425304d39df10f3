/**
 * `@chinwag/client/hidden`: messages deleted for oneself alone, on all of one's devices (docs/protocol.md, section 22).
 *
 * The lists are the server's; rooms carry their newest part, kept on the device with them. Nobody else is told.
 */

import type { Chat, Message, Room, RoomInfo, Unsubscribe } from './types.js';

/** Hides a message from oneself, or shows it again. Rejects with a `ChatError`, such as `too_many`. */
export async function hide({ id: room, chat }: Room, target: number, on = true): Promise<void> {
  await chat.ask({ type: 'hide', room, target, on });
  await chat.ask({ type: 'room', room });
}

/** Takes over what other devices hide and show, until the answer is called. */
export function followHidden(chat: Chat): Unsubscribe {
  return chat.on('frame', (frame) => {
    // The row has it, and is kept; a room that cannot be asked for now is asked for with the next change of it.
    if (frame.type === 'hidden') void chat.ask({ type: 'room', room: frame.room }).catch(() => undefined);
  });
}

/** Whether a message is not to be shown. Of messages older than the list reaches, the page that brought them tells. */
export function isHidden(info: RoomInfo | undefined, { seq = 0, hidden = false }: Message): boolean {
  if (!info?.hidden) return false;
  const { seqs, more } = info.hidden;
  return more && seq < seqs[0]! ? hidden : seqs.includes(seq);
}
