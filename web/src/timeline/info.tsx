// Who has read a message of one's own, and when: asked of the server, and again when a marker has moved.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { useWorld } from '../app/world';
import type { Reader } from '../model';
import { codeOf } from '../rooms/problem';
import { Dialog } from '../ui/dialog';
import { Face } from '../ui/faces';
import { Icon } from '../ui/icons';
import { momentOf, shortLabel, timeOf } from '../ui/times';
import { t } from '../words';
import { said } from '../words-later';
import { Tick } from './tick';

/** Markers may move often: so long, one question is enough. */
const askMs = 500;

export function MessageInfo({ room, seq, onClose }: { room: string; seq: number; onClose: () => void }) {
  const { place } = useWorld();
  const readers = useSignal<readonly Reader[] | undefined>(undefined);
  const problem = useSignal('');
  const here = place.here.value?.room(room);
  const moved = here?.receipts.value;
  const hidden = place.here.value?.shown.value.hide_receipts ?? false;
  useEffect(() => {
    const ask = () =>
      void here?.readers(seq).then(
        (list) => {
          readers.value = list;
          problem.value = '';
        },
        (error: unknown) => (problem.value = said.infoError(codeOf(error))),
      );
    const timer = setTimeout(ask, readers.peek() ? askMs : 0);
    return () => clearTimeout(timer);
  }, [here, seq, moved]);
  const entry = place.open(room).bySeq.value.get(seq);
  const all = readers.value ?? [];
  // By the markers: of long ago the moment is no longer known.
  const read = all.filter((one) => one.read >= seq);
  const delivered = all.filter((one) => one.read < seq && one.delivered >= seq);
  const waiting = all.filter((one) => one.read < seq && one.delivered < seq);
  const foot = (
    <button type="button" class="btn btn-soft" onClick={onClose}>
      {said.close}
    </button>
  );
  return (
    <Dialog title={said.whoHasRead} testid="info-dialog" onClose={onClose} foot={foot}>
      {entry && (
        <p class="info-words cut" dir="auto">
          {entry.text.split('\n', 1)[0]}
        </p>
      )}
      {readers.value && all.length === 0 && !problem.value && <p class="quiet">{hidden ? said.infoHidden : said.infoNobody}</p>}
      <Part title={said.infoRead} look="read" list={read} of={all.length} at="read_at" />
      <Part title={said.infoDelivered} look="delivered" list={delivered} of={all.length} at="delivered_at" />
      <Part title={said.infoWaiting} look="sent" list={waiting} of={all.length} />
      {problem.value && (
        <p class="help help-bad" role="alert" data-testid="problem">
          <Icon name="alert" small /> {problem.value}
        </p>
      )}
    </Dialog>
  );
}

interface PartProps {
  title: string;
  look: 'read' | 'delivered' | 'sent';
  list: readonly Reader[];
  of: number;
  at?: 'read_at' | 'delivered_at';
}

function Part({ title, look, list, of, at }: PartProps) {
  const { place } = useWorld();
  if (list.length === 0) return null;
  const when = (one: Reader) => (at && one[at]) ?? 0;
  return (
    <section data-testid={`info-${look}`}>
      <div class="group-label">
        <span class="group-name">
          <Tick look={look} words="" />
          {title}
        </span>
        <span class="num">{said.ofAll(list.length, of)}</span>
      </div>
      <ul class="listing">
        {[...list]
          .sort((a, b) => when(a) - when(b))
          .map((one) => (
            <li key={one.user} class="person" data-user={one.user}>
              <Face person={place.person(one.user)} size={30} />
              <span class="grow cut" dir="auto">
                {place.person(one.user).name || t.unknownPerson}
              </span>
              {at && one[at] !== undefined && <Moment ms={one[at]} />}
            </li>
          ))}
      </ul>
    </section>
  );
}

function Moment({ ms }: { ms: number }) {
  const day = shortLabel(ms, Date.now());
  const time = timeOf(ms);
  return (
    <time class="quiet num small" dateTime={new Date(ms).toISOString()} title={momentOf(ms)}>
      {day === time ? time : `${day} ${time}`}
    </time>
  );
}
