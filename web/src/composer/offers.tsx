// The list of names over the composer, while one is being typed. It listens to the field by itself, before the composer
// does: Enter takes the name, and does not send.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { useWorld } from '../app/world';
import type { Conversation, Person, RoomRow } from '../model';
import { said } from '../words-later';
import { wholeRoom } from './mention';
import { offers, typedName } from './offer';

export interface OffersProps {
  room: RoomRow;
  conversation: Conversation;
  field: HTMLTextAreaElement;
}

export function Offers({ room, conversation, field }: OffersProps) {
  const { place } = useWorld();
  const offered = useSignal<readonly Person[]>([]);
  const chosen = useSignal(0);
  const typed = () => typedName(field.value, field.selectionStart);
  const look = () => {
    const name = typed();
    offered.value = name ? offers(name.start, conversation.members.peek(), room, place.me.id) : [];
    chosen.value = 0;
  };
  const complete = (person: Person | undefined) => {
    const name = typed();
    offered.value = [];
    if (!name || !person) return;
    field.setRangeText(`@${person.name} `, name.from, field.selectionStart, 'end');
    field.dispatchEvent(new Event('input', { bubbles: true }));
    field.focus();
  };
  const walk = (event: KeyboardEvent) => {
    const list = offered.peek();
    if (!list.length || event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) chosen.value = (chosen.peek() + step + list.length) % list.length;
    else if (event.key === 'Enter' || event.key === 'Tab') complete(list[chosen.peek()]);
    else if (event.key === 'Escape') offered.value = [];
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  useEffect(() => {
    const until = new AbortController();
    const { signal } = until;
    field.addEventListener('input', look, { signal });
    field.addEventListener('keydown', walk, { signal, capture: true });
    field.addEventListener('blur', () => (offered.value = []), { signal });
    // The key that brought this chunk has been pressed already.
    look();
    return () => until.abort();
  }, [field, room, conversation]);
  const open = offered.value.length > 0;
  const at = chosen.value;
  useEffect(() => {
    if (!open) return;
    field.setAttribute('aria-controls', 'composer-offers');
    field.setAttribute('aria-activedescendant', `offer-${at}`);
    return () => ['aria-controls', 'aria-activedescendant'].forEach((name) => field.removeAttribute(name));
  }, [open, at]);
  if (!open) return null;
  return (
    <div class="offers-at">
      <ul id="composer-offers" class="offers" role="listbox" aria-label={said.suggestions}>
        {offered.value.map((person, index) => (
          <li
            key={person.id}
            id={`offer-${index}`}
            role="option"
            aria-selected={index === at}
            dir="auto"
            onMouseDown={(event) => {
              // Before the field would lose the focus.
              event.preventDefault();
              complete(person);
            }}
          >
            @{person.name} {person.id === wholeRoom && <small>{said.wholeRoom}</small>}
          </li>
        ))}
      </ul>
      <span class="sr" role="status">
        {said.offered(offered.value.length)}
      </span>
    </div>
  );
}
