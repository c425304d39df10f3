// The sill: a fixed strip above the composer. What the line has to say stands at its start, the
// way down at its end; neither ever covers a message.
import { effect, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';

import { useWorld } from '../app/world';
import { onReturn, type Return } from '../line/back';
import { actOn, useLine } from '../line/line';
import { lineNote } from '../line/state';
import type { Conversation, Place } from '../model';
import { Icon, type IconName } from '../ui/icons';
import { t } from '../words';
import type { Reading } from './reading';
import { wayDown } from './sill';
import { TypingLine } from './typingline';

const toldMs = 3_000;
const drawings: Record<'plain' | 'wait' | 'bad', IconName> = { plain: 'off', wait: 'tray', bad: 'alert' };

export function Sill({ reading, conversation }: { reading: Reading; conversation: Conversation }) {
  const { place, session } = useWorld();
  const view = useLine();
  const note = lineNote(view, place.waiting.value, place.keeps.value, session.placeName.value);
  const back = useBack(place);
  return (
    <div class="sill">
      {note ? (
        <div class={`note note-${note.tone}`} role="status" data-testid="note">
          <Icon name={drawings[note.tone]} />
          <span class="grow">{note.text}</span>
          {view.look === 'failed' && (
            <button type="button" class="text-btn" onClick={() => actOn(view, place)}>
              {view.act}
            </button>
          )}
        </div>
      ) : (
        (back && (
          <span class="back" role="status">
            {back}
          </span>
        )) || <TypingLine room={conversation.id} />
      )}
      <Way reading={reading} conversation={conversation} />
    </div>
  );
}

function Way({ reading, conversation }: { reading: Reading; conversation: Conversation }) {
  const { place } = useWorld();
  const way = wayDown(reading.following.value, conversation.entries.value, reading.seen.value, place.me.id);
  if (way.kind === 'none') return null;
  return (
    <button type="button" class="jump" data-testid="jump" onClick={() => reading.toEnd()}>
      <Icon name="down" small />
      {way.kind === 'new' ? t.newBelow(way.count) : t.toNewest}
    </button>
  );
}

/** "Back. 3 messages went out." for a while after the last of them has gone. */
function useBack(place: Place): string {
  const told = useMemo(() => signal(''), [place]);
  useEffect(() => {
    let at: Return = { at: 'up' };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = effect(() => {
      const step = onReturn(at, place.line.value.state === 'connected', place.waiting.value);
      at = step.next;
      if (step.told === undefined) return;
      told.value = t.back(step.told);
      clearTimeout(timer);
      timer = setTimeout(() => (told.value = ''), toldMs);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [place, told]);
  return told.value;
}
