// The people of a room.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { useWorld } from '../app/world';
import { looksAfter, type Member, type Role, type RoomRow } from '../model';
import { actProblem } from '../rooms/problem';
import { ticking } from '../ui/clock';
import { Face } from '../ui/faces';
import { Icon } from '../ui/icons';
import { Menu, MenuItem } from '../ui/menu';
import { seenLabel } from '../ui/times';
import { t } from '../words';
import { said } from '../words-later';
import { isHere } from './where';

/** So many at once; a room may have thousands. */
const shownMax = 200;

const now = ticking(60_000);

const rank = { owner: 0, admin: 1, member: 2, reader: 3 };

export function PeoplePane({ room }: { room: RoomRow }) {
  const { place, nav } = useWorld();
  const members = [...place.open(room.id).members.value].sort(
    (a, b) => rank[a.role] - rank[b.role] || a.name.localeCompare(b.name),
  );
  const problem = useSignal('');
  const groups = grouped(members, (user) => isHere(place, room.id, user));
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
      {problem.value && (
        <p class="help help-bad" role="alert" data-testid="people-problem">
          <Icon name="alert" small /> <span class="grow">{problem.value}</span>
          <button type="button" class="ib ib-sm" aria-label={t.dismiss} onClick={() => (problem.value = '')}>
            <Icon name="close" small />
          </button>
        </p>
      )}
      <div class="people-in" tabIndex={-1}>
        {groups.map(({ title, list }) => (
          <section key={title} data-testid={title && `people-${title === said.hereGroup ? 'here' : 'away'}`}>
            {title && (
              <h3 class="group-label">
                {title} <span class="num">{list.length}</span>
              </h3>
            )}
            <ul>
              {list.slice(0, shownMax).map((member) => (
                <li key={member.id} class="person" data-user={member.id}>
                  <PersonLine member={member} you={member.id === place.me.id} room={room} onProblem={(words) => (problem.value = words)} />
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </aside>
  );
}

/** Those who are there now first, if it is known. */
function grouped(members: readonly Member[], here: (user: string) => boolean | undefined): { title: string; list: readonly Member[] }[] {
  const [first] = members;
  if (!first || here(first.id) === undefined) return [{ title: '', list: members }];
  const there = members.filter(({ id }) => here(id));
  const gone = members.filter(({ id }) => !here(id));
  return [
    { title: said.hereGroup, list: there },
    { title: said.awayGroup, list: gone },
  ].filter(({ list }) => list.length > 0);
}

interface PersonProps {
  member: Member;
  you: boolean;
  room: RoomRow;
  onProblem: (words: string) => void;
}

function PersonLine({ member, you, room, onProblem }: PersonProps) {
  const { place } = useWorld();
  const here = isHere(place, room.id, member.id);
  const there = place.here.value?.room(room.id);
  const types = place.live.value && there?.typing.value.users.includes(member.id);
  const seen = here === false ? there?.seen.value.get(member.id) : undefined;
  // Who has no voice is told by events alone: the newest one that is held.
  const stands = place.open(room.id).entries.value.findLast((entry) => entry.kind === 'role' && entry.user === member.id);
  const muted = stands?.kind === 'role' && stands.muted;
  const role = muted ? said.voiceless : said.role[member.role];
  // An owner stands above everybody but owners; others only above those of a lower role.
  const above = looksAfter(room) && !you && (room.role === 'owner' || rank[member.role] > rank[room.role]);
  return (
    <>
      <Face person={member} size={30} here={here} />
      <div class="grow">
        <div class="cut" dir="auto">
          {member.name}
        </div>
        {(types || role || seen !== undefined) && (
          <small class="cut">{types ? t.typingRow : [role, seen !== undefined && t.seen(seenLabel(seen, now.value))].filter(Boolean).join(', ')}</small>
        )}
      </div>
      {above && <PersonMenu room={room} member={member} muted={muted} onProblem={onProblem} />}
      {you && <span class="chip">{t.you}</span>}
    </>
  );
}

/** What one may do about somebody: those of equal role can only be given another one, by an owner. */
function PersonMenu({ room, member, muted, onProblem }: Omit<PersonProps, 'you'> & { muted: boolean }) {
  const { place, nav } = useWorld();
  const run = (act: Promise<void>) => {
    onProblem('');
    act.catch((error: unknown) => onProblem(said.roleNotGiven(member.name, actProblem(error))));
  };
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
