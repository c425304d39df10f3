// The field of a picker: those chosen as tokens, and whom one may mean below it.
import { useRef } from 'preact/hooks';

import { Face } from '../ui/faces';
import { Icon } from '../ui/icons';
import { said } from '../words-later';
import type { Picker } from './picker';

export interface PeopleFieldProps {
  picker: Picker;
  label: string;
  optional?: boolean;
  id: string;
}

export function PeopleField({ picker, label, optional, id }: PeopleFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const problem = picker.problem.value;
  const pressed = (event: KeyboardEvent) => {
    if (event.isComposing || event.keyCode === 229) return;
    const empty = picker.text.peek() === '';
    if ((event.key === 'Enter' || event.key === ',') && !empty) {
      event.preventDefault();
      void picker.settle();
    } else if (event.key === 'Backspace' && empty) {
      const last = picker.chosen.peek().at(-1);
      if (last) picker.drop(last.id);
    }
  };
  return (
    <div>
      <label class="label" for={id}>
        {label} {optional && <span class="quiet">{said.canWait}</span>}
      </label>
      <div class={`field tokens${problem ? ' is-bad' : ''}`}>
        {picker.chosen.value.map((person) => (
          <span class="token" key={person.id}>
            <Face person={person} size={24} />
            <span class="cut">{person.name}</span>
            <button type="button" class="ib" aria-label={said.takeOut(person.name)} onClick={() => picker.drop(person.id)}>
              <Icon name="close" small />
            </button>
          </span>
        ))}
        <input
          ref={input}
          id={id}
          value={picker.text.value}
          placeholder={said.addName}
          autocomplete="off"
          aria-describedby={`${id}-help`}
          aria-invalid={problem !== ''}
          onInput={(event) => picker.type(event.currentTarget.value)}
          onKeyDown={pressed}
        />
      </div>
      <p class={`help${problem ? ' help-bad' : ''}`} id={`${id}-help`} role={problem ? 'alert' : undefined}>
        {problem && <Icon name="alert" small />}
        {problem || said.writeToHelp}
      </p>
      <Suggestions picker={picker} onChosen={() => input.current?.focus()} />
    </div>
  );
}

function Suggestions({ picker, onChosen }: { picker: Picker; onChosen: () => void }) {
  const people = picker.suggestions.value;
  if (people.length === 0) return null;
  return (
    <ul class="listing">
      {people.map((person) => (
        <li key={person.id}>
          <button
            type="button"
            class="person"
            data-user={person.id}
            onClick={() => {
              picker.choose(person);
              onChosen();
            }}
          >
            <Face person={person} size={30} />
            <span class="cut grow">{person.name}</span>
            <Icon name="plus" small />
          </button>
        </li>
      ))}
    </ul>
  );
}
