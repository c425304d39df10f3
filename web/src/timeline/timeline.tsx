// The timeline of a room. Not a live region: the announcer speaks.
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';

import { useWorld } from '../app/world';
import { looksAfter, type Conversation, type Entry, type RoomRow } from '../model';
import { Icon } from '../ui/icons';
import { dayLabel } from '../ui/times';
import { t } from '../words';
import type { Doing } from './doing';
import { OthersMessage, OwnMessage } from './message';
import { noticeWords } from './notice';
import type { Reading } from './reading';
import { rowsOf, type Row } from './rows';

export interface TimelineProps {
  room: RoomRow;
  conversation: Conversation;
  reading: Reading;
  doing: Doing;
}

export function Timeline({ room, conversation, reading, doing }: TimelineProps) {
  const { place } = useWorld();
  const log = useRef<HTMLDivElement>(null);
  const entries = conversation.entries.value;
  const me = place.me.id;
  // Before drawing: what is new is decided once, by where the reader was.
  useMemo(() => reading.consider(entries, room.read), [entries]);
  const fresh = reading.fresh.value;
  const rows = useMemo(() => rowsOf(entries, me, fresh), [entries, me, fresh]);

  // Both before the browser paints: the first picture already stands in its place.
  useLayoutEffect(() => (log.current ? reading.attach(log.current) : undefined), [reading]);
  useLayoutEffect(() => reading.settle(), [rows]);

  return (
    <div class="log" ref={log} role="log" aria-label={t.messagesIn(room.name)} aria-live="off" tabIndex={0} data-testid="timeline">
      <ol class="log-in">
        {!conversation.hasOlder.value && <li class="beginning">{t.beginning}</li>}
        {rows.map((row) => (
          <Line key={row.key} row={row} room={room} conversation={conversation} reading={reading} doing={doing} />
        ))}
      </ol>
    </div>
  );
}

/** Beside the lines that nobody wrote. */
const drawings = { room: 'invite', member: 'invite', settings: 'pencil', role: 'people', unreadable: 'alert' } as const;

function Line({ row, room, conversation, reading, doing }: TimelineProps & { row: Row }) {
  const { place } = useWorld();
  switch (row.kind) {
    case 'day':
      return <li class="day">{dayLabel(row.ts, Date.now())}</li>;
    case 'new':
      return (
        <li class="newline" data-testid="new-messages">
          <span>{t.newMessages(row.count)}</span>
        </li>
      );
    case 'notice':
      return (
        <li class="sys" data-key={row.key} data-seq={row.entry.seq}>
          <Icon name={drawings[row.entry.kind]} small />
          <span>
            {noticeWords(row.entry, place).map(({ text, name }) => (name ? <b dir="auto">{text}</b> : ` ${text} `))}
          </span>
          <LetBack entry={row.entry} room={room} />
        </li>
      );
    case 'message': {
      const { entry, own, first, last } = row;
      const moves = entry.seq === undefined || entry.seq > reading.openedAt;
      return own ? (
        <OwnMessage entry={entry} first={first} last={last} moves={moves} conversation={conversation} doing={doing} />
      ) : (
        <OthersMessage entry={entry} first={first} name={place.person(entry.from).name} avatar={place.person(entry.from).avatar} called={entry.mentions.some((one) => one === 'room' || one === place.me.id)} moves={moves} conversation={conversation} doing={doing} />
      );
    }
  }
}

/** Beside the line that says that somebody was sent away for good. */
function LetBack({ entry, room }: { entry: Entry; room: RoomRow }) {
  const { place } = useWorld();
  if (entry.kind !== 'member' || entry.state !== 'banned' || !looksAfter(room)) return null;
  return (
    <button type="button" class="text-btn" data-testid="let-back" onClick={() => void place.ban(room.id, entry.user, false).catch(() => undefined)}>
      {t.letBack}
    </button>
  );
}
