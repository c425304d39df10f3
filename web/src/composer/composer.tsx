// The composer: never disabled, in no state of the line. Enter sends, Shift Enter breaks.
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

import { useWorld } from '../app/world';
import type { Conversation, RoomRow } from '../model';
import { Icon } from '../ui/icons';
import { t } from '../words';
import { excess } from './length';

export interface ComposerProps {
  room: RoomRow;
  conversation: Conversation;
  fresh: boolean;
  onSent: () => void;
}

export function Composer({ room, conversation, fresh, onSent }: ComposerProps) {
  const { drafts } = useWorld();
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

  const type = (value: string) => {
    text.value = value;
    drafts.keep(room.id, value);
  };
  const send = () => {
    // Read from the field: what stands there is what goes, to the byte.
    const words = area.current?.value ?? '';
    if (words.trim() === '' || excess(words) > 0) return;
    void conversation.send(words);
    type('');
    onSent();
    area.current?.focus();
  };
  const pressed = (event: KeyboardEvent) => {
    // During composition Enter belongs to the input method; 229 is how some of them say it.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    // A touch keyboard has no Shift Enter: there the button sends.
    if (matchMedia('(pointer: coarse)').matches) return;
    event.preventDefault();
    send();
  };

  const prompt = fresh ? t.firstWord : t.writeTo(room.name);
  return (
    <>
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
          value={text.value}
          onInput={(event) => type(event.currentTarget.value)}
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
