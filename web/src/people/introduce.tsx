// How one is shown to others: a name and a picture.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';

import { useWorld } from '../app/world';
import { Problem } from '../rooms/dialogs';
import { actProblem } from '../rooms/problem';
import { Face } from '../ui/faces';
import { said } from '../words-later';

export function Introduce() {
  const { place } = useWorld();
  const me = place.person(place.me.id);
  const name = useSignal(me.name);
  const problem = useSignal('');
  const busy = useSignal(false);
  const file = useRef<HTMLInputElement>(null);
  const here = place.here.value;
  const run = (act: Promise<void> | undefined) => {
    if (!act || busy.peek()) return;
    problem.value = '';
    busy.value = true;
    act.catch((error: unknown) => (problem.value = actProblem(error))).finally(() => (busy.value = false));
  };
  const save = (event: Event) => {
    event.preventDefault();
    run(here?.introduce({ name: name.peek().trim() }));
  };
  const choose = () => {
    const chosen = file.current?.files?.[0];
    if (chosen) run(here?.introduce({ picture: chosen }));
    if (file.current) file.current.value = '';
  };
  return (
    <form class="introduce" onSubmit={save} data-testid="introduce">
      <div class="set">
        <Face person={me} />
        <input ref={file} class="sr" type="file" accept="image/*" tabIndex={-1} aria-hidden="true" data-testid="picture-file" onChange={choose} />
        <button type="button" class="btn btn-soft" data-testid="picture-choose" disabled={busy.value} onClick={() => file.current?.click()}>
          {said.pictureChoose}
        </button>
        {me.avatar && (
          <button type="button" class="text-btn" data-testid="picture-remove" disabled={busy.value} onClick={() => run(here?.introduce({ picture: null }))}>
            {said.pictureRemove}
          </button>
        )}
      </div>
      <label class="label" for="shown-name">
        {said.shownName}
      </label>
      <div class="set">
        <span class="field grow">
          <input id="shown-name" dir="auto" autocomplete="name" placeholder={place.me.name} value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />
        </span>
        <button type="submit" class="btn btn-soft" data-testid="name-save" disabled={busy.value || name.value.trim() === me.name}>
          {said.saveName}
        </button>
      </div>
      <p class="help">{said.shownNameHelp(place.me.name)}</p>
      <Problem text={problem.value} />
    </form>
  );
}
