// Choosing people by name: those known here by their first letters, others by their whole name.
import { computed, signal } from '@preact/signals';

import type { Person, Place } from '../model';
import { said } from '../words-later';
import { actProblem } from '../rooms/problem';

const suggestionsMax = 5;

export class Picker {
  readonly text = signal('');
  readonly chosen = signal<readonly Person[]>([]);
  readonly problem = signal('');
  readonly #place: Pick<Place, 'known' | 'find'>;
  readonly #max: number;
  readonly #without: ReadonlySet<string>;
  readonly #why: string;

  readonly suggestions = computed(() => {
    const begun = fold(this.text.value.trim());
    const taken = new Set(this.chosen.value.map(({ id }) => id));
    return this.#place.known.value
      .filter(({ id, name }) => !taken.has(id) && !this.#without.has(id) && starts(fold(name), begun))
      .slice(0, suggestionsMax);
  });

  /** At most `max` people, none of `without`; `why` says why not, when one of them is asked for. */
  constructor(place: Pick<Place, 'known' | 'find'>, max: number, without: Iterable<string>, why: string) {
    this.#place = place;
    this.#max = max;
    this.#without = new Set(without);
    this.#why = why;
  }

  type(text: string): void {
    this.text.value = text;
    this.problem.value = '';
  }

  choose(person: Person): void {
    if (this.chosen.peek().some(({ id }) => id === person.id)) return;
    this.chosen.value = [...this.chosen.peek(), person].slice(-this.#max);
    this.type('');
  }

  drop(id: string): void {
    this.chosen.value = this.chosen.peek().filter((person) => person.id !== id);
  }

  /** Takes in what is typed but not chosen yet. Whether everything typed is somebody now. */
  async settle(): Promise<boolean> {
    const name = this.text.peek().trim();
    if (name === '') return true;
    const here = this.suggestions.peek().find((person) => fold(person.name) === fold(name));
    try {
      const found = here ?? (await this.#place.find(name));
      if (found && !this.#without.has(found.id)) {
        this.choose(found);
        return true;
      }
      this.problem.value = found ? this.#why : said.nobodyCalled(name);
    } catch (error) {
      this.problem.value = actProblem(error);
    }
    return false;
  }
}

function fold(name: string): string {
  return name.toLocaleLowerCase();
}

/** Whether any word of the name begins so. */
function starts(name: string, begun: string): boolean {
  return name.startsWith(begun) || name.includes(` ${begun}`);
}
