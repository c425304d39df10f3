// What one is about to do with a message of a room: nothing is sent yet. Lives as long as the sheet shows the room.
import { signal } from '@preact/signals';

import type { Message } from '../model';

/** The reactions offered at once. */
export const offered = ['👍', '❤️', '😂', '😮', '😢', '🎉'];

export class Doing {
  /** The message whose menu is open, and what opened it. */
  readonly menu = signal<{ entry: Message; opener: HTMLElement } | undefined>(undefined);
  /** The message whose words stand in the composer. */
  readonly editing = signal<Message | undefined>(undefined);
  /** The message that the next one answers. */
  readonly answering = signal<Message | undefined>(undefined);

  edit(entry: Message | undefined): void {
    this.answering.value = undefined;
    this.editing.value = entry;
    focusComposer();
  }

  answer(entry: Message | undefined): void {
    this.editing.value = undefined;
    this.answering.value = entry;
    focusComposer();
  }
}

function focusComposer(): void {
  document.getElementById('composer')?.focus();
}

/** Brings a message into view and marks it for a moment; one that is not loaded stays where it is. */
export function showMessage(seq: number): void {
  const row = document.querySelector<HTMLElement>(`.log [data-seq="${seq}"]`);
  row?.scrollIntoView({ block: 'center' });
  row?.animate([{ backgroundColor: 'var(--accent-soft)' }, { backgroundColor: 'transparent' }], { duration: 2_000 });
}
