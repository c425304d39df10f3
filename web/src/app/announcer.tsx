// Reads new messages of the open room aloud: one polite region, one line a second at most.
//
// The timeline itself is not live: readers would say it all again when older pages come in.
import { effect, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';

import { t } from '../words';
import { useWorld } from './world';

const pauseMs = 1_000;
/** Longer words are for the eye; the timeline has all of them. */
const spokenMax = 200;

export function Announcer() {
  const { nav, place } = useWorld();
  const said = useMemo(() => signal(''), []);
  const room = nav.room.value;
  useEffect(() => {
    if (!room) return;
    const entries = place.open(room).entries;
    let seen = newest(entries.peek());
    let waiting: string[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const speak = () => {
      timer = undefined;
      // What has been said does not stay: it may be deleted.
      if (waiting.length === 0) return void (said.value = '');
      said.value = waiting.length === 1 ? (waiting[0] ?? '') : t.newMessages(waiting.length);
      waiting = [];
      timer = setTimeout(speak, pauseMs);
    };
    const stop = effect(() => {
      for (const entry of entries.value) {
        if (entry.seq === undefined || entry.seq <= seen) continue;
        if (entry.kind === 'message' && entry.from !== place.me.id) {
          waiting.push(t.announce(place.person(entry.from).name, entry.text.slice(0, spokenMax)));
        }
      }
      seen = Math.max(seen, newest(entries.value));
      if (waiting.length > 0 && timer === undefined) timer = setTimeout(speak, 100);
    });
    return () => {
      stop();
      clearTimeout(timer);
      said.value = '';
    };
  }, [room, place, said]);
  return (
    <div class="sr" role="status" aria-live="polite" data-testid="announcer">
      {said}
    </div>
  );
}

function newest(entries: readonly { seq?: number | undefined }[]): number {
  return entries.reduce((max, entry) => Math.max(max, entry.seq ?? 0), 0);
}
