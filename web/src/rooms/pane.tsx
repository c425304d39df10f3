// The rooms: the line on top, the list, oneself at the bottom.
import { Start } from '../app/blank';
import { useWorld } from '../app/world';
import { LineWords, useLine } from '../line/line';
import { Mark } from '../line/mark';
import { Icon } from '../ui/icons';
import { Menu, MenuItem } from '../ui/menu';
import { Face } from '../ui/faces';
import { t } from '../words';
import { MeMenu } from './me';
import { Row } from './row';

export function RoomsPane() {
  return (
    <aside class="pane-rooms" aria-label={t.conversations}>
      <Top />
      <List />
      <Me />
    </aside>
  );
}

function Top() {
  const { session, nav } = useWorld();
  const view = useLine();
  return (
    <header class="line">
      <Mark look={view.look} left={view.left} />
      <div class="grow">
        <div class="place cut" data-testid="place-name">
          {session.placeName}
        </div>
        <LineWords />
      </div>
      <Menu label={t.newRoomOrMessage} testid="new" button={<Icon name="plus" />}>
        <MenuItem icon="plus" testid="new-room" onClick={() => nav.ask({ kind: 'new-room' })}>
          {t.newRoom}
        </MenuItem>
        <MenuItem icon="pencil" testid="new-message" onClick={() => nav.ask({ kind: 'new-message' })}>
          {t.newMessage}
        </MenuItem>
        <MenuItem icon="globe" testid="join-room" onClick={() => nav.ask({ kind: 'directory' })}>
          {t.joinRoom}
        </MenuItem>
      </Menu>
      <span class="narrow-only">
        <MeMenu testid="me-narrow" button={<Icon name="sliders" />} />
      </span>
    </header>
  );
}

function List() {
  const { place } = useWorld();
  const rooms = place.rooms.value;
  return (
    <nav class="rooms" aria-label={t.rooms}>
      {rooms.length === 0 && (
        <div class="rooms-empty">
          <Start />
        </div>
      )}
      <ul>
        {rooms.map((room, index) => (
          <li key={room.id}>
            <Row room={room} index={index} />
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Me() {
  const { place } = useWorld();
  const me = place.person(place.me.id);
  return (
    <div class="me wide-only">
      <Face person={me} size={34} />
      <div class="grow">
        <b class="cut" dir="auto" data-testid="me-name">
          {me.name}
        </b>
        <small class="cut">{location.host}</small>
      </div>
      <MeMenu testid="me" button={<Icon name="sliders" />} />
    </div>
  );
}
