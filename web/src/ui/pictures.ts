// Pictures of people and rooms, by id, as addresses that an image can show. The place fills it
// once its code has come; until then, and where there is none, letters stand there.
import { signal } from '@preact/signals';

/** The address of a picture, if it is here; asks for it otherwise. Read inside of a render. */
export type Look = (id: string) => string | undefined;

export const look = signal<Look | undefined>(undefined);

/** The address of somebody's or a room's picture, if it has one and it is here. */
export const pictureOf = (avatar: string | null | undefined): string | undefined =>
  avatar ? look.value?.(avatar) : undefined;
