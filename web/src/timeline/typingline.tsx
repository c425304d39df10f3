// Who is typing, at the start of the sill: its place is there whether somebody types or not, so nothing jumps.
import { useWorld } from '../app/world';
import { t } from '../words';

/** So many are named; the others are counted. */
const namedMax = 3;

/** Who types in a room, by first names; empty while nobody does. */
export function useTypists(room: string): { names: string[]; more: number } {
  const { place } = useWorld();
  const typing = place.here.value?.room(room).typing.value;
  const users = place.live.value ? (typing?.users ?? []) : [];
  const known = users.map((user) => place.person(user).name).filter(Boolean);
  const names = known.slice(0, namedMax);
  return { names, more: (place.live.value ? (typing?.more ?? 0) : 0) + users.length - names.length };
}

export function TypingLine({ room }: { room: string }) {
  const { names, more } = useTypists(room);
  if (names.length + more === 0) return null;
  return (
    <div class="typing cut" data-testid="typing">
      <span class="dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span class="cut">
        {t.typing(names, more).map(({ text, name }) => (name ? <b dir="auto">{text}</b> : text))}
      </span>
    </div>
  );
}
