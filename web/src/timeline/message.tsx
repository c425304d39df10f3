// One message: of others without a bubble, one's own in one. Words are text nodes, byte for byte.
import { useWorld } from '../app/world';
import type { Conversation, Message } from '../model';
import { Face } from '../ui/faces';
import { Icon } from '../ui/icons';
import { memo } from '../ui/memo';
import { momentOf, timeOf } from '../ui/times';
import { t } from '../words';
import { showMessage, type Doing } from './doing';
import { marked, pieces } from './text';
import { Reached } from './reached';

export interface OthersProps {
  entry: Message;
  first: boolean;
  name: string;
  avatar?: string | undefined;
  /** It calls on the reader. */
  called: boolean;
  moves: boolean;
  conversation: Conversation;
  doing: Doing;
}

export const OthersMessage = memo(({ entry, first, name, avatar, called, moves, conversation, doing }: OthersProps) => (
  <li
    class={`msg${first ? ' first' : ''}${moves ? ' is-fresh' : ''}${called ? ' calls' : ''}`}
    data-key={entry.key}
    data-seq={entry.seq}
    data-from={entry.from}
    onContextMenu={(event) => onPress(event, entry, doing)}
  >
    {first ? <Face person={{ id: entry.from, name, avatar }} /> : <When ts={entry.ts} stamp />}
    <div class="body">
      {first ? (
        <div class="who">
          <b class="cut" dir="auto">
            {name}
          </b>
          <When ts={entry.ts} />
        </div>
      ) : (
        <span class="sr">{name}</span>
      )}
      <Quote entry={entry} conversation={conversation} />
      {called && <span class="sr">{t.callsYou}</span>}
      <Words entry={entry} />
      {entry.edited && !entry.removed && <span class="edited">{t.edited}</span>}
      <Below entry={entry} conversation={conversation} />
    </div>
    <Act entry={entry} name={name} doing={doing} />
  </li>
));

export interface OwnProps {
  entry: Message;
  first: boolean;
  last: boolean;
  moves: boolean;
  conversation: Conversation;
  doing: Doing;
}

export const OwnMessage = memo(({ entry, first, last, moves, conversation, doing }: OwnProps) => {
  const waiting = entry.sending === 'queued' || entry.sending === 'sending';
  const classes = [
    'own',
    first && 'first',
    last && 'last',
    waiting && 'is-waiting',
    entry.sending === 'failed' && 'is-failed',
    moves && 'is-fresh',
  ].filter(Boolean);
  return (
    <li
      class={classes.join(' ')}
      data-key={entry.key}
      data-seq={entry.seq}
      data-from={entry.from}
      data-sending={entry.sending}
      onContextMenu={(event) => onPress(event, entry, doing)}
    >
      <span class="meta">
        <Act entry={entry} name={t.you} doing={doing} />
        {entry.edited && !entry.removed && <span class="edited">{t.edited}</span>}
        <When ts={entry.ts} />
        <Reached entry={entry} room={conversation} />
      </span>
      <div class="bubble">
        <span class="sr">{t.you}</span>
        <Quote entry={entry} conversation={conversation} />
        <Words entry={entry} />
      </div>
      <Below entry={entry} conversation={conversation} />
      {entry.sending === 'failed' && <Fix entry={entry} conversation={conversation} />}
    </li>
  );
});

function Fix({ entry, conversation }: { entry: Message; conversation: Conversation }) {
  return (
    <div class="fix" role="status">
      <span>{t.refusal(entry.why)}</span>
      <button type="button" class="text-btn" data-testid="again" onClick={() => conversation.again(entry.key)}>
        {t.tryAgain}
      </button>
      <button type="button" class="text-btn" data-testid="forget" onClick={() => conversation.forget(entry.key)}>
        {t.deleteIt}
      </button>
    </div>
  );
}

/** A long press opens the menu of a message; the browser's own stays with the mouse. */
function onPress(event: MouseEvent, entry: Message, doing: Doing): void {
  if (!acted(entry) || !matchMedia('(pointer: coarse)').matches) return;
  event.preventDefault();
  doing.menu.value = { entry, opener: event.currentTarget as HTMLElement };
}

/** Whether there is anything to do with it: the server has it, and it has words. */
function acted(entry: Message): boolean {
  return entry.seq !== undefined && !entry.removed;
}

function Act({ entry, name, doing }: { entry: Message; name: string; doing: Doing }) {
  if (!acted(entry)) return null;
  return (
    <button
      type="button"
      class="ib ib-sm act"
      aria-label={t.actions(name)}
      aria-haspopup="true"
      data-testid="act"
      onClick={(event) => (doing.menu.value = { entry, opener: event.currentTarget })}
    >
      <Icon name="more" small />
    </button>
  );
}

/** Who wrote what this one answers, and its first line: nothing of what is gone or may not be seen. */
function Quote({ entry, conversation }: { entry: Message; conversation: Conversation }) {
  const { place } = useWorld();
  const seq = entry.replyTo;
  if (seq === undefined || entry.removed) return null;
  const quoted = conversation.bySeq.value.get(seq);
  if (!quoted || quoted.removed) return <div class="quote">{quoted ? t.deletedMessage : t.noSuchMessage}</div>;
  const who = quoted.from === place.me.id ? t.you : place.person(quoted.from).name;
  return (
    <button type="button" class="quote" data-testid="quote" onClick={() => showMessage(seq)}>
      <span class="sr">{t.answerTo}</span>
      <b class="cut" dir="auto">
        {who}
      </b>
      <span class="cut" dir="auto">
        {quoted.text.split('\n', 1)[0]}
      </span>
    </button>
  );
}

/** What stands below the words: reactions, and what was refused. */
function Below({ entry, conversation }: { entry: Message; conversation: Conversation }) {
  const { reactions, refused, seq } = entry;
  return (
    <>
      {reactions.length > 0 && seq !== undefined && <Chips entry={entry} seq={seq} conversation={conversation} />}
      {refused && (
        <div class="fix" role="status" data-testid="refused">
          <span>{t.refusedChange(refused.what, refused.why)}</span>
          <button type="button" class="text-btn" data-testid="again" onClick={() => conversation.again(refused.key)}>
            {t.tryAgain}
          </button>
          <button type="button" class="text-btn" data-testid="dismiss" onClick={() => conversation.forget(refused.key)}>
            {t.dismiss}
          </button>
        </div>
      )}
    </>
  );
}

function Chips({ entry, seq, conversation }: { entry: Message; seq: number; conversation: Conversation }) {
  const { place } = useWorld();
  const name = (user: string) => (user === place.me.id ? t.you : place.person(user).name);
  return (
    <div class="reactions" role="group" aria-label={t.reactions}>
      {entry.reactions.map(({ emoji, users, mine }) => {
        const who = t.reacted(emoji, users.length, users.slice(0, 20).map(name).join(', '));
        return (
          <button type="button" class="reaction" aria-pressed={mine} aria-label={who} title={who} data-emoji={emoji} data-count={users.length} onClick={() => conversation.react(seq, emoji, !mine)}>
            <span aria-hidden="true">
              {emoji} {users.length}
            </span>
          </button>
        );
      })}
    </div>
  );
}

function When({ ts, stamp }: { ts: number; stamp?: boolean }) {
  return (
    <time class={stamp ? 'stamp' : undefined} dateTime={new Date(ts).toISOString()} title={momentOf(ts)}>
      {timeOf(ts)}
    </time>
  );
}

function Words({ entry }: { entry: Message }) {
  const { place } = useWorld();
  if (entry.removed) {
    return (
      <span class="gone">
        <Icon name="trash" small /> {t.removedMessage}
      </span>
    );
  }
  if (entry.sealed) return <span class="gone">{t.sealedMessage}</span>;
  return (
    <div class="text" dir="auto" data-text>
      {marked(pieces(entry.text), entry.mentions.map((id) => (id === 'room' ? id : place.person(id).name))).map(({ text, href, at }) =>
        at ? (
          <b class="at">{text}</b>
        ) : href ? (
          <a href={href} target="_blank" rel="noopener noreferrer nofollow">
            {text}
          </a>
        ) : (
          text
        ),
      )}
    </div>
  );
}
