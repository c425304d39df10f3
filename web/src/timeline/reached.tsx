// How far one's own words have come: waiting, on their way, stored, received, read.
import { computed } from '@preact/signals';
import { useMemo } from 'preact/hooks';

import { useWorld } from '../app/world';
import type { Message, RoomRow } from '../model';
import { t } from '../words';
import { Tick, type TickLook } from './tick';

export interface ReachedProps {
  entry: Pick<Message, 'seq' | 'sending' | 'changing'>;
  room: Pick<RoomRow, 'id'> & Partial<Pick<RoomRow, 'kind'>>;
}

/** The tick of a message, which follows what the others receive and read. */
export function Reached({ entry, room }: ReachedProps) {
  const { place } = useWorld();
  const { seq, sending, changing } = entry;
  // Drawn again only when it is another tick or another number, not with each marker that moves.
  const told = useMemo(
    () =>
      computed(() => {
        const reach = seq === undefined ? undefined : place.here.value?.room(room.id).receipts.value.of(seq);
        return reach ? `${reach.status} ${reach.delivered} ${reach.read} ${reach.of}` : '';
      }),
    [place, room.id, seq],
  ).value;
  if (changing) return <Tick look="queued" />;
  if (sending !== 'sent' || told === '') return <Tick look={sending} />;
  const [status, delivered, read, of] = told.split(' ');
  return <Tick look={status as TickLook} words={tickWords(status as TickLook, Number(delivered), Number(read), Number(of))} />;
}

/** In a room of more than two it is about each person: until everybody has, say how many have. */
function tickWords(look: TickLook, delivered: number, read: number, of: number): string | undefined {
  if (of < 2) return undefined;
  if (look === 'read') return t.readByAll;
  if (read > 0) return t.readBy(read, of);
  if (look === 'delivered') return t.deliveredToAll;
  return delivered > 0 ? t.deliveredTo(delivered, of) : undefined;
}
