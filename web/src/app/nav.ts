// Where one is in the shell: which room, which dialog, whether the people are shown.
//
// The room stands in the address, behind the `#`, so that "back" leads from a room to the list.
import { signal } from '@preact/signals';

/** The dialog that is open; at most one. */
export type Asking =
  | { kind: 'new-room' }
  | { kind: 'new-message' }
  | { kind: 'directory' }
  | { kind: 'add-people'; room: string }
  | { kind: 'leave'; room: string }
  | { kind: 'edit-room'; room: string }
  | { kind: 'remove-message'; room: string; seq: number }
  | { kind: 'message-info'; room: string; seq: number }
  | { kind: 'privacy' }
  | { kind: 'mine' }
  | { kind: 'send-away'; room: string; user: string; forGood: boolean }
  | { kind: 'sign-out'; waiting: number };

/** From this width on, people stand beside the timeline; below, they lie over it. */
const widePx = 1160;

export class Nav {
  readonly room = signal(roomIn(location.hash));
  readonly asking = signal<Asking | undefined>(undefined);
  /** Whether there is room for three panes. */
  readonly wide = signal(true);
  readonly #beside = signal(true);
  readonly #over = signal(false);

  constructor() {
    addEventListener('popstate', () => {
      this.room.value = roomIn(location.hash);
      this.#over.value = false;
    });
  }

  get beside(): boolean {
    return this.#beside.value;
  }

  get over(): boolean {
    return this.#over.value;
  }

  /** Whether the people can be seen now. */
  get people(): boolean {
    return this.wide.value ? this.#beside.value : this.#over.value;
  }

  togglePeople(): void {
    const shown = this.wide.peek() ? this.#beside : this.#over;
    shown.value = !shown.peek();
  }

  hidePeopleOver(): void {
    this.#over.value = false;
  }

  open(room: string): void {
    this.#over.value = false;
    if (this.room.peek() === room) return;
    // From room to room the entry is replaced: "back" leads to the list, not through all of them.
    const address = `#/${room}`;
    if (this.room.peek()) history.replaceState(null, '', address);
    else history.pushState({ fromList: true }, '', address);
    this.room.value = room;
  }

  /** To the list of rooms. */
  back(): void {
    if ((history.state as { fromList?: boolean } | null)?.fromList) return history.back();
    history.replaceState(null, '', location.pathname);
    this.room.value = undefined;
  }

  ask(asking: Asking | undefined): void {
    this.asking.value = asking;
  }

  /** Follows the width of the shell. */
  measure(width: number): void {
    this.wide.value = width >= widePx;
    if (this.wide.peek()) this.#over.value = false;
  }
}

/** The room that an address names. */
export function roomIn(hash: string): string | undefined {
  return /^#\/(r_[a-z0-9]+)$/.exec(hash)?.[1];
}
