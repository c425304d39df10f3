// The dialog that is open, if one is.
import { useWorld } from '../app/world';
import { Mine } from '../people/mine';
import { Privacy } from '../people/privacy';
import { MessageInfo } from '../timeline/info';
import { AddPeople, Leave, NewMessage, NewRoom, SignOut } from './dialogs';
import { Directory } from './directory';
import { EditRoom, RemoveMessage, SendAway } from './steward';

export function Asked() {
  const { nav, place } = useWorld();
  const asking = nav.asking.value;
  const close = () => nav.ask(undefined);
  const roomOf = (id: string) => place.rooms.peek().find((row) => row.id === id);
  switch (asking?.kind) {
    case undefined:
      return null;
    case 'new-room':
      return <NewRoom onClose={close} />;
    case 'new-message':
      return <NewMessage onClose={close} />;
    case 'directory':
      return <Directory onClose={close} />;
    case 'sign-out':
      return <SignOut waiting={asking.waiting} onClose={close} />;
    case 'add-people': {
      const room = roomOf(asking.room);
      return room ? <AddPeople room={room} onClose={close} /> : null;
    }
    case 'edit-room': {
      const room = roomOf(asking.room);
      return room ? <EditRoom room={room} onClose={close} /> : null;
    }
    case 'remove-message':
      return <RemoveMessage room={asking.room} seq={asking.seq} onClose={close} />;
    case 'message-info':
      return <MessageInfo {...asking} onClose={close} />;
    case 'privacy':
      return <Privacy onClose={close} />;
    case 'mine':
      return <Mine onClose={close} />;
    case 'send-away':
      return <SendAway {...asking} onClose={close} />;
    case 'leave': {
      const room = roomOf(asking.room);
      return room ? <Leave room={room} onClose={close} /> : null;
    }
  }
}
