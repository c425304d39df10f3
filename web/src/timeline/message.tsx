// One message: of others without a bubble, one's own in one. Words are text nodes, byte for byte.
import type { Conversation, Message } from '../model';
import { Face } from '../ui/faces';
import { Icon } from '../ui/icons';
import { memo } from '../ui/memo';
import { momentOf, timeOf } from '../ui/times';
import { t } from '../words';
import { pieces } from './text';
import { Tick } from './tick';

export interface OthersProps {
  entry: Message;
  first: boolean;
  name: string;
  moves: boolean;
}

export const OthersMessage = memo(({ entry, first, name, moves }: OthersProps) => (
  <li class={`msg${first ? ' first' : ''}${moves ? ' is-fresh' : ''}`} data-key={entry.key} data-seq={entry.seq} data-from={entry.from}>
    {first ? <Face person={{ id: entry.from, name }} /> : <When ts={entry.ts} stamp />}
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
      <Words entry={entry} />
      {entry.edited && !entry.removed && <span class="edited">{t.edited}</span>}
    </div>
  </li>
));

export interface OwnProps {
  entry: Message;
  first: boolean;
  last: boolean;
  moves: boolean;
  conversation: Conversation;
}

export const OwnMessage = memo(({ entry, first, last, moves, conversation }: OwnProps) => {
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
    <li class={classes.join(' ')} data-key={entry.key} data-seq={entry.seq} data-from={entry.from} data-sending={entry.sending}>
      <span class="meta">
        {entry.edited && !entry.removed && <span class="edited">{t.edited}</span>}
        <When ts={entry.ts} />
        <Tick sending={entry.sending} />
      </span>
      <div class="bubble">
        <span class="sr">{t.you}</span>
        <Words entry={entry} />
      </div>
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

function When({ ts, stamp }: { ts: number; stamp?: boolean }) {
  return (
    <time class={stamp ? 'stamp' : undefined} dateTime={new Date(ts).toISOString()} title={momentOf(ts)}>
      {timeOf(ts)}
    </time>
  );
}

function Words({ entry }: { entry: Message }) {
  if (entry.removed) {
    return (
      <span class="gone">
        <Icon name="trash" small /> {t.removedMessage}
      </span>
    );
  }
  return (
    <div class="text" dir="auto" data-text>
      {pieces(entry.text).map(({ text, href }) =>
        href ? (
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
