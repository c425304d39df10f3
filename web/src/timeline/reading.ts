// Where the reader is in a timeline: what is followed, what has been seen, what stays in place.
//
// Lives as long as the room is open. It moves the scroll container and nothing else; the rules
// are in sill.ts and rows.ts.
import { signal } from '@preact/signals';

import type { Conversation, Entry } from '../model';
import { firstUnread, type Fresh } from './rows';
import { distance, follows, type Scroll } from './sill';

/** Older pages are asked for when the upper edge is this near. */
const askPx = 800;
/** So much of the height stays above the line of new messages. */
const lead = 0.2;

export class Reading {
  /** Whether new messages are followed. */
  readonly following = signal(true);
  /** The last seq whose end was in view. */
  readonly seen = signal(0);
  /** The stretch that was new when the room was opened, or while the reader was away. */
  readonly fresh = signal<Fresh | undefined>(undefined);
  /** Up to here entries were there at the opening: later ones arrive with a movement. */
  openedAt = Infinity;
  /** Whether something lies over the timeline: then nobody sees it, wherever the focus is. */
  covered = false;

  readonly #conversation: Conversation;
  readonly #me: string;
  #log: HTMLElement | undefined;
  #anchor: { element: Element; top: number } | undefined;
  #placed = false;
  #marked = 0;

  constructor(conversation: Conversation, me: string) {
    this.#conversation = conversation;
    this.#me = me;
  }

  /** Looks at new entries before they are drawn. `read`: one's own marker. */
  consider(entries: readonly Entry[], read: number): void {
    const head = entries.reduce((max, entry) => Math.max(max, entry.seq ?? 0), 0);
    if (this.openedAt === Infinity) {
      if (entries.length === 0) return;
      this.openedAt = head;
      this.seen.value = read;
      this.#marked = read;
      this.#begin(firstUnread(entries, read, this.#me), head);
      return;
    }
    const fresh = this.fresh.peek();
    if (!this.#away()) return;
    if (fresh && fresh.from > this.seen.peek()) this.#begin(fresh.from, head);
    else this.#begin(firstUnread(entries, this.seen.peek(), this.#me) ?? fresh?.from, head);
  }

  #begin(from: number | undefined, to: number): void {
    const before = this.fresh.peek();
    if (from === undefined || (before?.from === from && before.to === to)) return;
    this.fresh.value = { from, to };
  }

  /** Takes over the scroll container until the returned function is called. */
  attach(log: HTMLElement): () => void {
    this.#log = log;
    const scrolled = () => this.#scrolled();
    const looked = () => this.#note();
    const observer = new ResizeObserver(() => this.settle());
    log.addEventListener('scroll', scrolled, { passive: true });
    addEventListener('focus', looked);
    document.addEventListener('visibilitychange', looked);
    observer.observe(log);
    if (log.firstElementChild) observer.observe(log.firstElementChild);
    return () => {
      observer.disconnect();
      log.removeEventListener('scroll', scrolled);
      removeEventListener('focus', looked);
      document.removeEventListener('visibilitychange', looked);
      this.#log = undefined;
    };
  }

  /** After a change of the list or of the container: everything that was read stays in place. */
  settle(): void {
    const log = this.#log;
    if (!log || this.openedAt === Infinity) return;
    if (!this.#placed) this.#open(log);
    else if (this.following.peek()) this.#follow(log);
    else this.#hold(log);
    this.#remember();
    this.#note();
    this.#ask();
  }

  /** To the newest, and on with them. */
  toEnd(): void {
    this.following.value = true;
    if (this.#log) this.#log.scrollTop = this.#log.scrollHeight;
    this.#note();
  }

  #open(log: HTMLElement): void {
    this.#placed = true;
    const line = log.querySelector<HTMLElement>('.newline');
    log.scrollTop = log.scrollHeight;
    if (line) this.#showLine(log, line);
    this.following.value = follows(scrollOf(log));
  }

  #follow(log: HTMLElement): void {
    const line = this.#away() ? log.querySelector<HTMLElement>('.newline') : null;
    log.scrollTop = log.scrollHeight;
    // Nobody is looking: go on as far as the first new one stays in view, no further.
    if (line) this.#showLine(log, line);
  }

  /** Scrolls back as far as the line of new messages is in view. */
  #showLine(log: HTMLElement, line: HTMLElement): void {
    const top = line.getBoundingClientRect().top - log.getBoundingClientRect().top;
    const wanted = log.clientHeight * lead;
    if (top < wanted) log.scrollTop += top - wanted;
  }

  #hold(log: HTMLElement): void {
    const anchor = this.#anchor;
    if (!anchor?.element.isConnected) return;
    const top = anchor.element.getBoundingClientRect().top - log.getBoundingClientRect().top;
    if (Math.abs(top - anchor.top) >= 1) log.scrollTop += top - anchor.top;
  }

  #scrolled(): void {
    const log = this.#log;
    if (!log || !this.#placed) return;
    this.following.value = follows(scrollOf(log));
    this.#remember();
    this.#note();
    this.#ask();
  }

  /** Remembers the first entry in view and where it stands. */
  #remember(): void {
    const log = this.#log;
    if (!log) return;
    const edge = log.getBoundingClientRect().top;
    const rows = log.querySelectorAll('[data-key]');
    let low = 0;
    let high = rows.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((rows[middle]?.getBoundingClientRect().bottom ?? 0) > edge) high = middle;
      else low = middle + 1;
    }
    const element = rows[low];
    this.#anchor = element && { element, top: element.getBoundingClientRect().top - edge };
  }

  /** Notes what has been seen to its end, and says so if somebody is looking. */
  #note(): void {
    const log = this.#log;
    if (!log || !this.#placed) return;
    const seq = lastSeen(log);
    if (seq > this.seen.peek()) {
      if (this.#away()) return;
      this.seen.value = seq;
    }
    if (!this.#away() && this.seen.peek() > this.#marked) {
      this.#marked = this.seen.peek();
      this.#conversation.markRead(this.#marked);
    }
  }

  /** Whether nobody can be looking. */
  #away(): boolean {
    return this.covered || document.visibilityState === 'hidden' || !document.hasFocus();
  }

  #ask(): void {
    if (this.#log && this.#log.scrollTop < askPx) void this.#conversation.older();
  }
}

function scrollOf(log: HTMLElement): Scroll {
  return { top: log.scrollTop, height: log.clientHeight, full: log.scrollHeight };
}

/** The seq of the last entry whose lower end is in view. */
function lastSeen(log: HTMLElement): number {
  const edge = log.getBoundingClientRect().bottom + 1;
  const rows = log.querySelectorAll<HTMLElement>('[data-seq]');
  // At the very end everything counts, also what rounding pushed below the edge.
  const atEnd = distance(scrollOf(log)) < 2;
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    const row = rows[index];
    if (row && (atEnd || row.getBoundingClientRect().bottom <= edge)) return Number(row.dataset['seq']);
  }
  return 0;
}
