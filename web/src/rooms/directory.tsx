// The public rooms, and the way into them.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { useWorld } from '../app/world';
import type { Listed } from '../model';
import { Dialog } from '../ui/dialog';
import { Tile } from '../ui/faces';
import { t } from '../words';
import { said } from '../words-later';
import { Problem } from './dialogs';
import { actProblem } from './problem';

export function Directory({ onClose }: { onClose: () => void }) {
  const { place, nav } = useWorld();
  const rooms = useSignal<readonly Listed[] | undefined>(undefined);
  const problem = useSignal('');
  useEffect(() => {
    place.directory().then(
      (list) => (rooms.value = [...list].sort((a, b) => a.name.localeCompare(b.name))),
      (error: unknown) => (problem.value = actProblem(error)),
    );
  }, [place]);
  const mine = new Set(place.rooms.value.map(({ id }) => id));
  const enter = (room: Listed) => {
    const joined = mine.has(room.id) ? Promise.resolve() : place.join(room.id);
    joined.then(
      () => {
        onClose();
        nav.open(room.id);
      },
      (error: unknown) => (problem.value = actProblem(error)),
    );
  };
  const foot = (
    <button type="button" class="btn btn-soft" onClick={onClose}>
      {said.close}
    </button>
  );
  return (
    <Dialog title={t.joinRoom} testid="directory-dialog" onClose={onClose} foot={foot}>
      {rooms.value?.length === 0 && <p class="quiet">{said.directoryEmpty}</p>}
      <ul class="listing">
        {rooms.value?.map((room) => (
          <li key={room.id} class="person">
            <Tile isPublic name={room.name} size={36} />
            <span class="grow">
              <span class="name cut" dir="auto">
                {room.name}
              </span>
              <small>{t.people(room.members)}</small>
            </span>
            <button type="button" class={`btn btn-sm ${mine.has(room.id) ? 'btn-soft' : 'btn-main'}`} data-join={room.id} onClick={() => enter(room)}>
              {mine.has(room.id) ? said.openIt : said.join}
              <span class="sr"> {room.name}</span>
            </button>
          </li>
        ))}
      </ul>
      <Problem text={problem.value} />
    </Dialog>
  );
}
