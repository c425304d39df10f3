// Drafts: what was typed and not sent, by user and room, kept on this device.
import { signal, type ReadonlySignal } from '@preact/signals';

/** As much of `Storage` as is needed; the browser's throws where it is forbidden or full. */
export interface Keeper {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** The drafts of one user. */
export class Drafts {
  readonly #prefix: string;
  readonly #keeper: Keeper | undefined;
  readonly #held = signal<ReadonlyMap<string, string>>(new Map());

  constructor(keeper: Keeper | undefined, user: string) {
    this.#keeper = keeper;
    this.#prefix = `chinwag:draft:${user}:`;
    this.#held.value = this.#read();
  }

  /** All of them, by room. */
  get all(): ReadonlySignal<ReadonlyMap<string, string>> {
    return this.#held;
  }

  /** The draft of a room; empty if there is none. */
  of(room: string): string {
    return this.#held.peek().get(room) ?? '';
  }

  /** Keeps a draft; an empty one is forgotten. */
  keep(room: string, text: string): void {
    if (this.of(room) === text) return;
    const held = new Map(this.#held.peek());
    if (text === '') held.delete(room);
    else held.set(room, text);
    this.#held.value = held;
    try {
      if (text === '') this.#keeper?.removeItem(this.#prefix + room);
      else this.#keeper?.setItem(this.#prefix + room, text);
    } catch {
      // Full or forbidden: the draft lives as long as the page. The composer still has it.
    }
  }

  /** Forgets all of this user's drafts. */
  erase(): void {
    for (const room of this.#held.peek().keys()) this.keep(room, '');
  }

  #read(): Map<string, string> {
    const found = new Map<string, string>();
    const length = this.#keeper?.length ?? 0;
    for (let index = 0; index < length; index += 1) {
      const key = this.#keeper?.key(index);
      if (!key?.startsWith(this.#prefix)) continue;
      const text = this.#keeper?.getItem(key);
      if (text) found.set(key.slice(this.#prefix.length), text);
    }
    return found;
  }
}
