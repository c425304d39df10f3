// A row of the list: face, name, last words, when, and one sign of what waits.
import { useWorld } from '../app/world';
import type { Entry, RoomRow } from '../model';
import { noticeWords } from '../timeline/notice';
import { isHere } from '../people/where';
import { Reached } from '../timeline/reached';
import { Tick } from '../timeline/tick';
import { ticking } from '../ui/clock';
import { RoomFace } from '../ui/faces';
import { Icon } from '../ui/icons';
import { shortLabel } from '../ui/times';
import { t } from '../words';

const now = ticking(60_000);

/** Of so many rooms on top of the list it is told who is there and what was read: each costs the server a little. */
const followedMax = 16;

export function Row({ room, index }: { room: RoomRow; index: number }) {
  const { nav, drafts, place } = useWorld();
  const here = nav.room.value === room.id;
  const draft = here ? '' : (drafts.all.value.get(room.id) ?? '');
  const { last } = room;
  const followed = index < followedMax;
  const peer = room.kind === 'direct' && followed ? room.peer : undefined;
  const peerHere = peer ? isHere(place, room.id, peer) : undefined;
  const types = peer && place.live.value && place.here.value?.room(room.id).typing.value.users.includes(peer);
  const open = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    nav.open(room.id);
  };
  return (
    <a
      class={`row${room.unread > 0 ? ' is-new' : ''}`}
      href={`#/${room.id}`}
      aria-current={here ? 'page' : undefined}
      data-room={room.id}
      data-unread={room.unread}
      data-mentions={room.mentions}
      onClick={open}
    >
      <RoomFace room={room} here={peerHere} />
      <div class="cut">
        <div class="name cut" dir="auto">
          {room.name}
          {peerHere && <span class="sr">, {t.isHere}</span>}
        </div>
        <div class="last cut" dir="auto">
          {types ? (
            <span class="is-typing">{t.typingRow}</span>
          ) : draft ? (
            <>
              <span class="draft">{t.draft}</span> {oneLine(draft)}
            </>
          ) : (
            last && <Last entry={last} room={room} />
          )}
        </div>
      </div>
      <div class="side">
        <time>{last && shortLabel(last.ts, now.value)}</time>
        <span class="foot">
          {room.unread > 0 ? (
            <>
              {room.mentions > 0 && (
                <span class="badge badge-spark" data-testid="mentions">
                  <span aria-hidden="true">{t.called(room.mentions)}</span>
                  <span class="sr">{t.calledSpoken(room.mentions)}</span>
                </span>
              )}
              <span class="badge">
                <span aria-hidden="true">{t.unread(room.unread)}</span>
                <span class="sr">{t.unreadSpoken(room.unread)}</span>
              </span>
            </>
          ) : draft ? (
            <Icon name="pencil" small />
          ) : (
            last?.kind === 'message' && last.from === place.me.id && (followed ? <Reached entry={last} room={room} /> : <Tick look={last.sending} />)
          )}
        </span>
      </div>
    </a>
  );
}

function Last({ entry, room }: { entry: Entry; room: RoomRow }) {
  const { place } = useWorld();
  if (entry.kind !== 'message') return <>{noticeWords(entry, place).map(({ text }) => text).join(' ')}</>;
  if (entry.removed) return <>{t.removedMessage}</>;
  if (entry.sealed) return <>{t.sealedMessage}</>;
  const mine = entry.from === place.me.id;
  if (!mine && room.kind === 'direct') return <>{oneLine(entry.text)}</>;
  const who = mine ? t.you : (place.person(entry.from).name.split(' ')[0] ?? '');
  return (
    <>
      {who}: <bdi>{oneLine(entry.text)}</bdi>
    </>
  );
}

/** Enough of a text for one line. */
function oneLine(text: string): string {
  return text.slice(0, 160).replace(/\s+/gu, ' ');
}
