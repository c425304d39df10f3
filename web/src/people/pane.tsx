// The people of a room.
import { useEffect, useRef } from 'preact/hooks';

import { useWorld } from '../app/world';
import { looksAfter, type Member, type Role, type RoomRow } from '../model';
import { Face } from '../ui/faces';
import { Icon } from '../ui/icons';
import { Menu, MenuItem } from '../ui/menu';
import { t } from '../words';
import { said } from '../words-later';

/** So many at once; a room may have thousands. */
const shownMax = 200;

const rank = { owner: 0, admin: 1, member: 2, reader: 3 };

export function PeoplePane({ room }: { room: RoomRow }) {
  const { place, nav } = useWorld();
  const members = [...place.open(room.id).members.value].sort(
    (a, b) => rank[a.role] - rank[b.role] || a.name.localeCompare(b.name),
  );
  const mayAdd = looksAfter(room);
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
          <button ref={closer} type="button" class="ib" aria-label={said.close} onClick={() => nav.togglePeople()}>
            <Icon name="close" />
          </button>
        )}
      </div>
      <ul tabIndex={-1}>
        {members.slice(0, shownMax).map((member) => (
          <li key={member.id} class="person" data-user={member.id}>
            <PersonLine member={member} you={member.id === place.me.id} room={room} />
          </li>
        ))}
      </ul>
    </aside>
  );
}

function PersonLine({ member, you, room }: { member: Member; you: boolean; room: RoomRow }) {
  const { place } = useWorld();
  // Who has no voice is told by events alone: the newest one that is held.
  const stands = place.open(room.id).entries.value.findLast((entry) => entry.kind === 'role' && entry.user === member.id);
  const muted = stands?.kind === 'role' && stands.muted;
  const role = muted ? said.voiceless : said.role[member.role];
  // An owner stands above everybody but owners; others only above those of a lower role.
  const above = looksAfter(room) && !you && (room.role === 'owner' || rank[member.role] > rank[room.role]);
  return (
    <>
      <Face person={member} size={30} />
      <div class="grow">
        <div class="cut" dir="auto">
          {member.name}
        </div>
        {role && <small>{role}</small>}
      </div>
      {above && <PersonMenu room={room} member={member} muted={muted} />}
      {you && <span class="chip">{t.you}</span>}
    </>
  );
}

/** What one may do about somebody: those of equal role can only be given another one, by an owner. */
function PersonMenu({ room, member, muted }: { room: RoomRow; member: Member; muted: boolean }) {
  const { place, nav } = useWorld();
  // A refusal changes nothing that is shown, and says nothing that the next look would not.
  const run = (act: Promise<void>) => void act.catch(() => undefined);
  const given = (['reader', 'member', 'admin', 'owner'] as const).filter(
    (role: Role) => role !== member.role && (room.role === 'owner' || rank[role] > rank[room.role]),
  );
  const below = rank[member.role] > rank[room.role];
  return (
    <Menu label={said.personMenu(member.name)} testid="person-menu" buttonClass="ib ib-sm" button={<Icon name="more" small />}>
      {given.map((role) => (
        <MenuItem icon="people" testid={`role-${role}`} onClick={() => run(place.setRole(room.id, member.id, role))}>
          {said.makeRole[role]}
        </MenuItem>
      ))}
      {below && (
        <>
          <MenuItem icon="voice" testid="mute" onClick={() => run(place.mute(room.id, member.id, !muted))}>
            {muted ? said.giveVoice : said.takeVoice}
          </MenuItem>
          <hr />
          <MenuItem icon="exit" bad testid="remove-person" onClick={() => nav.ask({ kind: 'send-away', room: room.id, user: member.id, forGood: false })}>
            {said.removeFromRoom}
          </MenuItem>
          <MenuItem icon="trash" bad testid="ban-person" onClick={() => nav.ask({ kind: 'send-away', room: room.id, user: member.id, forGood: true })}>
            {said.banFromRoom}
          </MenuItem>
        </>
      )}
    </Menu>
  );
}
