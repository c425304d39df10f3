// Pictures as they come from the server: asked for with the token, held as blobs, let go of in time.
//
// What stands under an id never changes, so the browser keeps it by itself; here are only those
// that the page shows now or has shown lately. Lives as long as the place.
import { loadAvatar } from '@chinwag/client/people';
import { ChatError } from '@chinwag/client';
import { signal, type Signal } from '@preact/signals';

/** More than a page shows at once. Beyond, what was asked for first goes. */
const heldMax = 400;
/** A picture that could not be had for now is asked for again after so long. */
const againMs = 30_000;
/** Width and height of one's own picture: the largest place shows it at a third of this. */
const side = 128;
/** A little less than the server takes. */
const bytesMax = 60_000;

export class Album {
  readonly #held = new Map<string, Signal<string | undefined>>();
  readonly #token: () => Promise<string>;

  constructor(token: () => Promise<string>) {
    this.#token = token;
  }

  /** The address of a picture; asks for it the first time. */
  look(id: string): string | undefined {
    let held = this.#held.get(id);
    if (!held) {
      held = signal<string | undefined>(undefined);
      this.#held.set(id, held);
      for (const first of this.#held.keys()) {
        if (this.#held.size <= heldMax) break;
        this.#drop(first);
      }
      void this.#load(id, held);
    }
    return held.value;
  }

  async #load(id: string, into: Signal<string | undefined>): Promise<void> {
    try {
      const blob = await loadAvatar(id, { token: this.#token });
      if (this.#held.get(id) === into) into.value = URL.createObjectURL(blob);
    } catch (error) {
      // Gone for good, or not to be had for now: then the next showing asks again.
      if (error instanceof ChatError && !error.retryable) return;
      setTimeout(() => this.#held.get(id) === into && this.#held.delete(id), againMs);
    }
  }

  #drop(id: string): void {
    const held = this.#held.get(id);
    this.#held.delete(id);
    const url = held?.peek();
    if (!held || !url) return;
    held.value = undefined;
    URL.revokeObjectURL(url);
  }

  end(): void {
    for (const id of [...this.#held.keys()]) this.#drop(id);
  }
}

/**
 * The middle of a picture, small: drawn anew, so that nothing but its pixels is left of it, turned as the camera was
 * held. Rejects if it is none that this browser knows.
 */
export async function small(file: Blob): Promise<Blob> {
  const picture = await createImageBitmap(file).catch(() => {
    throw Object.assign(new Error('not a picture'), { code: 'no_picture' });
  });
  const from = Math.min(picture.width, picture.height);
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const left = (picture.width - from) / 2;
  canvas.getContext('2d')!.drawImage(picture, left, (picture.height - from) / 2, from, from, 0, 0, side, side);
  picture.close();
  const as = (type: string, quality?: number) =>
    new Promise<Blob>((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error(type))), type, quality));
  const kept = await as('image/png');
  return kept.size <= bytesMax ? kept : as('image/jpeg', 0.85);
}
