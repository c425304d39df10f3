/** Who is online in one room, from frames that tell changes (docs/protocol.md, section 17). Pure. */

import type { ServerFrame } from '../wire.js';

export type PresenceFrame = Extract<ServerFrame, { type: 'presence' }>;

/** Who is online in a room. */
export interface Presence {
  /** How many, oneself too. */
  readonly count: number;
  /** Who; absent in rooms that are too large for names. */
  readonly online?: ReadonlySet<string> | undefined;
  /** The number of the last change. */
  readonly change?: number | undefined;
}

/** What is known after a frame; nothing if one was missed before it. */
export function presenceAfter(before: Presence | undefined, frame: PresenceFrame): Presence | undefined {
  const { count, change, online } = frame;
  if (online) return { count, change, online: new Set(online) };
  if (change === undefined) return { count };
  if (!before?.online || before.change !== change - 1) return undefined;
  const now = new Set(before.online);
  for (const user of frame.joined ?? []) now.add(user);
  for (const user of frame.left ?? []) now.delete(user);
  return { count, change, online: now };
}
