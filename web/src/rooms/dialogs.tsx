// The small dialogs: a new room, a new message, more people, leaving, signing out with words unsent.
import { useSignal, type Signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';

import { useWorld } from '../app/world';
import type { RoomRow } from '../model';
import { PeopleField } from '../people/field';
import { Picker } from '../people/picker';
import { Dialog, Ends } from '../ui/dialog';
import { Icon } from '../ui/icons';
import { t } from '../words';
import { said } from '../words-later';
import { actProblem } from './problem';

interface Closing {
  onClose: () => void;
}

/** Runs an act once at a time; what goes wrong is said in the dialog, which stays open. */
export function useAct(act: () => Promise<void>): { problem: Signal<string>; busy: Signal<boolean>; run: () => void } {
  const problem = useSignal('');
  const busy = useSignal(false);
  const run = () => {
    if (busy.peek()) return;
    busy.value = true;
    problem.value = '';
    act()
      .catch((error: unknown) => (problem.value = actProblem(error)))
      .finally(() => (busy.value = false));
  };
  return { problem, busy, run };
}

export function Problem({ text }: { text: string }) {
  if (text === '') return null;
  return (
    <p class="help help-bad" role="alert" data-testid="problem">
      <Icon name="alert" small /> {text}
    </p>
  );
}

export function NewRoom({ onClose }: Closing) {
  const { place, nav, session } = useWorld();
  const name = useSignal('');
  const isPublic = useSignal(true);
  const picker = useMemo(() => new Picker(place, 50, [place.me.id], said.actError('self_direct')), [place]);
  const { problem, busy, run } = useAct(async () => {
    if (!(await picker.settle())) return;
    const room = await place.create(isPublic.peek() ? 'public' : 'group', name.peek().trim());
    for (const person of picker.chosen.peek()) await place.add(room, person.id);
    onClose();
    nav.open(room);
  });
  return (
    <Dialog title={t.newRoom} testid="new-room-dialog" onClose={onClose} onSubmit={run} foot={<Ends act={said.createRoom} busy={busy.value} onClose={onClose} />}>
      <div>
        <label class="label" for="room-name">
          {t.name}
        </label>
        <div class="field">
          <Icon name={isPublic.value ? 'hash' : 'people'} />
          <input id="room-name" dir="auto" autocomplete="off" value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />
        </div>
      </div>
      <fieldset class="choices">
        <legend class="label">{said.whoComesIn}</legend>
        <Choice on={isPublic.value} title={said.everyoneAt(session.placeName.value)} help={said.everyoneHelp} testid="public" onChoose={() => (isPublic.value = true)} />
        <Choice on={!isPublic.value} title={said.invitedOnly} help={said.invitedHelp} testid="group" onChoose={() => (isPublic.value = false)} />
      </fieldset>
      <PeopleField picker={picker} label={said.invite} optional id="room-people" />
      <Problem text={problem.value} />
    </Dialog>
  );
}

export function Choice({ on, title, help, testid, onChoose }: { on: boolean; title: string; help: string; testid: string; onChoose: () => void }) {
  return (
    <label class="choice">
      <input type="radio" name="who" checked={on} data-testid={testid} onChange={onChoose} />
      <span>
        <b>{title}</b>
        <small>{help}</small>
      </span>
    </label>
  );
}

export function NewMessage({ onClose }: Closing) {
  const { place, nav } = useWorld();
  const picker = useMemo(() => new Picker(place, 1, [place.me.id], said.actError('self_direct')), [place]);
  const { problem, busy, run } = useAct(async () => {
    if (!(await picker.settle())) return;
    const person = picker.chosen.peek()[0];
    if (!person) return;
    const room = await place.direct(person.id);
    onClose();
    nav.open(room);
  });
  return (
    <Dialog title={t.newMessage} testid="new-message-dialog" onClose={onClose} onSubmit={run} foot={<Ends act={said.startWriting} busy={busy.value} onClose={onClose} />}>
      <PeopleField picker={picker} label={said.writeToWhom} id="message-person" />
      <Problem text={problem.value} />
    </Dialog>
  );
}

export function AddPeople({ room, onClose }: Closing & { room: RoomRow }) {
  const { place } = useWorld();
  const picker = useMemo(() => {
    const inside = place.open(room.id).members.peek().map(({ id }) => id);
    return new Picker(place, 50, inside, said.actError('already_member'));
  }, [place, room.id]);
  const { problem, busy, run } = useAct(async () => {
    if (!(await picker.settle())) return;
    for (const person of picker.chosen.peek()) {
      await place.add(room.id, person.id);
      picker.drop(person.id);
    }
    onClose();
  });
  return (
    <Dialog title={t.addPeople} testid="add-people-dialog" onClose={onClose} onSubmit={run} foot={<Ends act={said.add} busy={busy.value} onClose={onClose} />}>
      <PeopleField picker={picker} label={t.name} id="add-person" />
      <Problem text={problem.value} />
    </Dialog>
  );
}

export function Leave({ room, onClose }: Closing & { room: RoomRow }) {
  const { place, nav } = useWorld();
  const { problem, busy, run } = useAct(async () => {
    await place.leave(room.id);
    onClose();
    nav.back();
  });
  return (
    <Dialog title={said.leaveQuestion(room.name)} testid="leave-dialog" onClose={onClose} onSubmit={run} foot={<Ends act={said.leave} bad busy={busy.value} onClose={onClose} />}>
      <p>{room.kind === 'public' ? said.leaveHelp : said.leaveGroupHelp}</p>
      <Problem text={problem.value} />
    </Dialog>
  );
}

export function SignOut({ waiting, onClose }: Closing & { waiting: number }) {
  const { session } = useWorld();
  const { problem, busy, run } = useAct(() => session.signOut());
  return (
    <Dialog title={said.signOutQuestion} testid="sign-out-dialog" onClose={onClose} onSubmit={run} foot={<Ends act={t.signOut} bad busy={busy.value} onClose={onClose} />}>
      <p>{said.signOutHelp(waiting)}</p>
      <Problem text={problem.value} />
    </Dialog>
  );
}
