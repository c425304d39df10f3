// The people of a room.
import { useEffect, useRef } from 'preact/hooks';

import { useWorld } from '../app/world';
import type { Member, RoomRow } from '../model';
import { Face } from '../ui/faces';
import { Icon } from '../ui/icons';
import { t } from '../words';

/** So many at once; a room may have thousands. */
const shownMax = 200;

const rank = { owner: 0, admin: 1, member: 2, reader: 3 };

export function PeoplePane({ room }: { room: RoomRow }) {
  const { place, nav } = useWorld();
  const members = [...place.open(room.id).members.value].sort(
    (a, b) => rank[a.role] - rank[b.role] || a.name.localeCompare(b.name),
  );
  const mayAdd = room.kind !== 'direct' && (room.role === 'owner' || room.role === 'admin');
  const closer = useRef<HTMLButtonElement>(null);
  const over = nav.over;
  useEffect(() => {
    if (over) closer.current?.focus();
  }, [over]);
  return (
    <aside class="pane-people" aria-label={t.peopleTitle} tabIndex={-1}>
      <div class="pane-title">
        <h2>
          {t.peopleTitle}
          <span class="num">{room.members}</span>
        </h2>
        {mayAdd && (
          <button type="button" class="ib" aria-label={t.addPeople} data-testid="add-people-pane" onClick={() => nav.ask({ kind: 'add-people', room: room.id })}>
            <Icon name="invite" />
          </button>
        )}
        {over && (
          <button ref={closer} type="button" class="ib" aria-label={t.close} onClick={() => nav.togglePeople()}>
            <Icon name="close" />
          </button>
        )}
      </div>
      <ul tabIndex={-1}>
        {members.slice(0, shownMax).map((member) => (
          <li key={member.id} class="person" data-user={member.id}>
            <PersonLine member={member} you={member.id === place.me.id} />
          </li>
        ))}
      </ul>
    </aside>
  );
}

function PersonLine({ member, you }: { member: Member; you: boolean }) {
  const role = t.role[member.role];
  return (
    <>
      <Face person={member} size={30} />
      <div class="grow">
        <div class="cut" dir="auto">
          {member.name}
        </div>
        {role && <small>{role}</small>}
      </div>
      {you && <span class="chip">{t.you}</span>}
    </>
  );
}
