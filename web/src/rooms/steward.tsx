// The dialogs of those who look after a room, and of deleting a message.
import { useSignal } from '@preact/signals';

import { useWorld } from '../app/world';
import type { RoomRow } from '../model';
import { Dialog, Ends } from '../ui/dialog';
import { t } from '../words';
import { said } from '../words-later';
import { Problem, useAct } from './dialogs';

interface Closing {
  onClose: () => void;
}

export function EditRoom({ room, onClose }: Closing & { room: RoomRow }) {
  const { place } = useWorld();
  const name = useSignal(room.name);
  const topic = useSignal(room.topic);
  const { problem, busy, run } = useAct(async () => {
    const [newName, newTopic] = [name.peek().trim(), topic.peek().trim()];
    const change = { ...(newName !== room.name && { name: newName }), ...(newTopic !== room.topic && { topic: newTopic }) };
    if (Object.keys(change).length > 0) await place.configure(room.id, change);
    onClose();
  });
  return (
    <Dialog title={t.editRoom} testid="edit-room-dialog" onClose={onClose} onSubmit={run} foot={<Ends act={said.save} busy={busy.value} onClose={onClose} />}>
      <div>
        <label class="label" for="edit-name">
          {t.name}
        </label>
        <div class="field">
          <input id="edit-name" dir="auto" autocomplete="off" value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />
        </div>
      </div>
      <div>
        <label class="label" for="edit-topic">
          {said.topic}
        </label>
        <div class="field">
          <input id="edit-topic" dir="auto" autocomplete="off" value={topic.value} onInput={(event) => (topic.value = event.currentTarget.value)} />
        </div>
      </div>
      <Problem text={problem.value} />
    </Dialog>
  );
}

export function RemoveMessage({ room, seq, onClose }: Closing & { room: string; seq: number }) {
  const { place } = useWorld();
  const run = () => {
    place.open(room).remove(seq);
    onClose();
  };
  return (
    <Dialog title={said.removeQuestion} testid="remove-dialog" onClose={onClose} onSubmit={run} foot={<Ends act={t.deleteIt} bad onClose={onClose} />}>
      <p>{said.removeHelp}</p>
    </Dialog>
  );
}

export function SendAway({ room, user, forGood, onClose }: Closing & { room: string; user: string; forGood: boolean }) {
  const { place } = useWorld();
  const { name } = place.person(user);
  const { problem, busy, run } = useAct(async () => {
    await (forGood ? place.ban(room, user, true) : place.removePerson(room, user));
    onClose();
  });
  const act = forGood ? said.banFromRoom : said.removeFromRoom;
  return (
    <Dialog title={forGood ? said.banWho(name) : said.removeWho(name)} testid="send-away-dialog" onClose={onClose} onSubmit={run} foot={<Ends act={act} bad busy={busy.value} onClose={onClose} />}>
      <p>{forGood ? said.banHelp(name) : said.removePersonHelp(name)}</p>
      <Problem text={problem.value} />
    </Dialog>
  );
}
