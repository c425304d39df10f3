// What this device remembers between visits, besides messages: who was here, and how it looks.
import { signal } from '@preact/signals';

import type { Keeper } from '../composer/drafts';
import type { Person } from '../model';

export type Theme = 'system' | 'light' | 'dark';

const names = { user: 'chinwag:user', place: 'chinwag:place', theme: 'chinwag:theme' } as const;

/** The browser's storage; none where it is forbidden. */
export function browserKeeper(): Keeper | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}

export class Device {
  readonly theme = signal<Theme>('system');
  readonly #keeper: Keeper | undefined;

  constructor(keeper: Keeper | undefined) {
    this.#keeper = keeper;
    const theme = this.#read(names.theme);
    if (theme === 'light' || theme === 'dark') this.theme.value = theme;
  }

  get keeper(): Keeper | undefined {
    return this.#keeper;
  }

  /** Who was signed in here last, and has not signed out. */
  get user(): Person | undefined {
    try {
      const told = JSON.parse(this.#read(names.user) ?? 'null') as Partial<Person> | null;
      if (typeof told?.id === 'string' && typeof told.name === 'string') {
        return { id: told.id, name: told.name };
      }
    } catch {
      // Written by something else: as if nobody had been here.
    }
    return undefined;
  }

  set user(person: Person | undefined) {
    this.#write(names.user, person && JSON.stringify({ id: person.id, name: person.name }));
  }

  /** The name of the place, so that it stands there before the server answers. */
  get place(): string | undefined {
    return this.#read(names.place);
  }

  set place(name: string | undefined) {
    this.#write(names.place, name);
  }

  chooseTheme(theme: Theme): void {
    this.theme.value = theme;
    this.#write(names.theme, theme === 'system' ? undefined : theme);
  }

  /** Calls back when another tab signs in, out, or as somebody else. */
  onOtherUser(changed: () => void): void {
    addEventListener('storage', (event) => {
      if (event.key === names.user && event.oldValue !== event.newValue) changed();
    });
  }

  #read(name: string): string | undefined {
    try {
      return this.#keeper?.getItem(name) ?? undefined;
    } catch {
      return undefined;
    }
  }

  #write(name: string, value: string | undefined): void {
    try {
      if (value === undefined) this.#keeper?.removeItem(name);
      else this.#keeper?.setItem(name, value);
    } catch {
      // Full or forbidden: this is forgotten with the page, nothing else.
    }
  }
}
