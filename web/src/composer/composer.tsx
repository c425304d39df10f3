// The composer: never disabled, in no state of the line. Enter sends, Shift Enter breaks.
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

import { useWorld } from '../app/world';
import type { Conversation, Message, RoomRow } from '../model';
import type { Doing } from '../timeline/doing';
import { Icon } from '../ui/icons';
import { later } from '../ui/later';
import { t } from '../words';
import { excess } from './length';
import { mentionsIn } from './mention';

/** The names to choose from come with the first `@`. */
const Offers = later(() => import('./offers').then((part) => part.Offers));

export interface ComposerProps {
  room: RoomRow;
  conversation: Conversation;
  doing: Doing;
  fresh: boolean;
  onSent: () => void;
}

export function Composer({ room, conversation, doing, fresh, onSent }: ComposerProps) {
  const { drafts, place } = useWorld();
  const area = useRef<HTMLTextAreaElement>(null);
  const text = useSignal(drafts.of(room.id));
  const over = excess(text.value);
  const ready = text.value.trim() !== '' && over === 0;

  useLayoutEffect(() => {
    if (area.current) grow(area.current);
  }, [text.value]);
  useEffect(() => {
    // On a touch screen the keyboard would cover what one came to read.
    if (!matchMedia('(pointer: coarse)').matches) area.current?.focus({ preventScroll: true });
  }, []);

  const editing = doing.editing.value;
  // The words to change take the place of the draft, which waits.
  useLayoutEffect(() => {
    text.value = editing ? editing.text : drafts.of(room.id);
  }, [editing]);
  // Whoever leaves the room has stopped.
  useEffect(() => () => place.here.peek()?.room(room.id).paused(), [place, room.id]);
  const type = (value: string) => {
    text.value = value;
    if (!editing) drafts.keep(room.id, value);
  };
  const send = () => {
    // Read from the field: what stands there is what goes, to the byte.
    const words = area.current?.value ?? '';
    if (words.trim() === '' || excess(words) > 0) return;
    if (editing?.seq !== undefined) {
      if (words !== editing.text) conversation.edit(editing.seq, words);
      // A change of old words is no message: it does not say by itself that one has stopped.
      place.here.peek()?.room(room.id).paused();
      doing.edit(undefined);
      return;
    }
    const mentions = mentionsIn(words, conversation.members.peek(), room);
    void conversation.send(words, { replyTo: doing.answering.peek()?.seq, mentions });
    doing.answering.value = undefined;
    type('');
    onSent();
    area.current?.focus();
  };
  const pressed = (event: KeyboardEvent) => {
    // During composition Enter belongs to the input method; 229 is how some of them say it.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Escape' && (editing || doing.answering.peek())) {
      event.preventDefault();
      return doing.edit(undefined);
    }
    if (event.key === 'ArrowUp' && text.peek() === '' && !editing) {
      const last = lastOwn(conversation, place.me.id);
      if (last) event.preventDefault();
      return last && doing.edit(last);
    }
    if (event.key !== 'Enter' || event.shiftKey) return;
    // A touch keyboard has no Shift Enter: there the button sends.
    if (matchMedia('(pointer: coarse)').matches) return;
    event.preventDefault();
    send();
  };

  const prompt = fresh ? t.firstWord : t.writeTo(room.name);
  return (
    <>
      <About doing={doing} />
      {text.value.includes('@') && area.current && <Offers room={room} conversation={conversation} field={area.current} />}
      <form
        class="composer"
        data-testid="composer-form"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <textarea
          id="composer"
          ref={area}
          rows={1}
          dir="auto"
          aria-label={t.writeTo(room.name)}
          aria-describedby="composer-hint"
          placeholder={prompt}
          aria-autocomplete="list"
          value={text.value}
          onInput={(event) => {
            const { value } = event.currentTarget;
            type(value);
            const here = place.here.peek()?.room(room.id);
            if (value === '') here?.paused();
            else here?.typed();
          }}
          onKeyDown={pressed}
        />
        <button type="submit" class="ib send" aria-label={t.send} aria-disabled={ready ? undefined : 'true'} data-testid="send">
          <Icon name="send" />
        </button>
      </form>
      <Hint over={over} fresh={fresh} />
    </>
  );
}

/** One's newest message that can be changed. */
function lastOwn(conversation: Conversation, me: string): Message | undefined {
  const entries = conversation.entries.peek();
  return entries.findLast((entry): entry is Message => entry.kind === 'message' && entry.from === me && !entry.removed && entry.seq !== undefined);
}

/** What the next Enter does, when it is not just a new message. */
function About({ doing }: { doing: Doing }) {
  const { place } = useWorld();
  const editing = doing.editing.value;
  const entry = editing ?? doing.answering.value;
  if (!entry) return null;
  const who = entry.from === place.me.id ? t.you : place.person(entry.from).name;
  return (
    <div class="about" role="status" data-testid={editing ? 'editing' : 'answering'}>
      <Icon name={editing ? 'pencil' : 'reply'} small />
      <div class="grow cut">
        <b dir="auto">{editing ? t.editing : t.answering(who)}</b>{' '}
        <span dir="auto">{entry.text.split('\n', 1)[0]}</span>
      </div>
      <button type="button" class="ib ib-sm" aria-label={t.stopIt} data-testid="stop-about" onClick={() => doing.edit(undefined)}>
        <Icon name="close" small />
      </button>
    </div>
  );
}

function Hint({ over, fresh }: { over: number; fresh: boolean }) {
  if (over > 0) {
    return (
      <div class="hint hint-bad" id="composer-hint" role="status">
        {t.tooLong(over)}
      </div>
    );
  }
  return (
    <div class={fresh ? 'hint' : 'sr'} id="composer-hint">
      <span>{t.hintEnter}</span> <span>{t.hintShift}</span>
    </div>
  );
}

/** As high as its text; the stylesheet ends it at 40 %. */
function grow(area: HTMLTextAreaElement): void {
  area.style.height = 'auto';
  area.style.height = `${area.scrollHeight}px`;
}
