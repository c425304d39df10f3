// The shell: rooms, the sheet, people. One pane, two or three, by the room there is.
import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { RoomsPane } from '../rooms/pane';
import { later } from '../ui/later';
import { t } from '../words';
import { Announcer } from './announcer';
import { NoRoom } from './blank';
import { listenToKeys } from './keys';
import { useWorld } from './world';

/** What a list of rooms does without comes with chunks of its own. Somebody who is known here gets the sheet beforehand. */
export const loadSheet = () => import('../timeline/sheet').then((part) => part.RoomSheet);
const RoomSheet = later(loadSheet);
const Asked = later(() => import('../rooms/asked').then((part) => part.Asked));
const PeoplePane = later(() => import('../people/pane').then((part) => part.PeoplePane));

export function Shell() {
  const { nav, place, session } = useWorld();
  const app = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const element = app.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => entry && nav.measure(entry.contentRect.width));
    observer.observe(element);
    const silence = listenToKeys(nav);
    return () => {
      observer.disconnect();
      silence();
    };
  }, [nav]);

  useSignalEffect(() => {
    const unread = place.rooms.value.reduce((sum, room) => sum + room.unread, 0);
    document.title = unread > 0 ? `(${t.unread(unread)}) ${session.placeName.value}` : session.placeName.value;
  });

  const id = nav.room.value;
  const room = place.rooms.value.find((row) => row.id === id);
  return (
    <div class="app" ref={app}>
      <main
        class="panes"
        data-view={id ? 'room' : 'list'}
        data-people={room && nav.beside ? 'yes' : 'no'}
        data-over={room && nav.over ? 'yes' : 'no'}
      >
        <h1 class="sr">{session.placeName}</h1>
        <RoomsPane />
        <section class="sheet" aria-label={room?.name}>
          {room ? <RoomSheet key={room.id} room={room} /> : <NoRoom missing={id !== undefined} />}
        </section>
        {room && nav.people && <PeoplePane key={room.id} room={room} />}
      </main>
      {nav.asking.value && <Asked />}
      <Announcer />
    </div>
  );
}
