// Keys that work everywhere: F6 walks the parts of the screen, Esc leads back to the composer.
import type { Nav } from './nav';

/** The parts, in the order of the walk; those that are not shown are passed over. */
const parts = ['.rooms', '.log', '#composer', '.pane-people'];

/** Listens until the returned function is called. */
export function listenToKeys(nav: Nav): () => void {
  const pressed = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector('dialog[open], :popover-open')) return;
    if (event.key === 'F6') {
      event.preventDefault();
      walk(event.shiftKey ? -1 : 1);
    } else if (event.key === 'Escape') {
      if (!nav.wide.peek() && nav.people) nav.hidePeopleOver();
      document.getElementById('composer')?.focus();
    }
  };
  addEventListener('keydown', pressed);
  return () => removeEventListener('keydown', pressed);
}

function walk(step: number): void {
  const shown = parts
    .map((selector) => document.querySelector<HTMLElement>(selector))
    .filter((part) => part !== null && part.getClientRects().length > 0) as HTMLElement[];
  const here = shown.findIndex((part) => part.contains(document.activeElement));
  const next = here < 0 ? (step > 0 ? 0 : -1) : (here + step) % shown.length;
  const part = shown.at(next);
  if (!part) return;
  // The chosen row, or else the first thing in it that can be reached.
  const inside = part.matches('.rooms, .pane-people')
    ? (part.querySelector<HTMLElement>('[aria-current]') ?? part.querySelector<HTMLElement>('a, button'))
    : null;
  (inside ?? part).focus();
}
