// Where somebody is, in words and as a sign. Pure, but for the signals that it reads.
import type { Place } from '../model';

/** Whether somebody is there now; unknown without a line, where nobody is named, and of those who hide it. */
export function isHere(place: Pick<Place, 'here' | 'live'>, room: string, user: string): boolean | undefined {
  const presence = place.here.value?.room(room).presence.value;
  if (!place.live.value || !presence?.online || presence.count === 0) return undefined;
  return presence.online.has(user);
}

/** How many are there now; unknown without a line, and to those who hide it. */
export function hereCount(place: Pick<Place, 'here' | 'live'>, room: string): number | undefined {
  const count = place.here.value?.room(room).presence.value?.count;
  return place.live.value && count ? count : undefined;
}
