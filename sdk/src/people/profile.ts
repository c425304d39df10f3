/**
 * What others see of oneself, and pictures over HTTP.
 *
 * Pictures travel beside the socket, with the access token in a header: an address alone opens none. Stateless: who
 * shows pictures decides for how long they are kept.
 */

import { ChatError } from '../errors.js';
import type { Chat } from '../types.js';
import type { ErrorCode, Profile } from '../wire.js';

/** Where pictures are, and who asks. */
export interface Pictures {
  /** The server's address, as `https://chat.example`; in a page left out: its own. */
  url?: string;
  /** An access token that is good now. */
  token(): string | Promise<string>;
  /** The platform's, if left out. */
  fetch?: typeof fetch;
}

/** What is left out stays; `null`, or an empty name, takes away. */
export interface ProfileChange {
  displayName?: string | null;
  /** What `uploadAvatar` said. */
  avatar?: string | null;
}

/**
 * Another name to be shown by, or another picture; one's profile then. Rejects with a `ChatError`: `blank`, `too_long`,
 * `bad_field`, or `not_found` for a picture that is not there (any more: unused ones last an hour).
 */
export async function setProfile(chat: Chat, { displayName, avatar }: ProfileChange): Promise<Profile | undefined> {
  const name = displayName === null ? '' : displayName?.toWellFormed();
  await chat.ask({ type: 'profile', display_name: name, avatar });
  return refreshed(chat);
}

/** One's own profile as the server has it now; the chat takes it in, too. */
export async function refreshed(chat: Chat): Promise<Profile | undefined> {
  const { user } = chat;
  return user && (await chat.ask({ type: 'profiles', users: [user.id] })).users[0];
}

/** A PNG, JPEG or WebP of at most 64 KiB and 512 pixels in a row; its id. It tells nothing of where it was taken. */
export async function uploadAvatar(blob: Blob, at: Pictures): Promise<string> {
  const response = await call('', at, { method: 'PUT', headers: { 'Content-Type': blob.type }, body: blob });
  return ((await response.json()) as { avatar: string }).avatar;
}

/** A picture; rejects with `not_found` if nobody refers to it any more. */
export async function loadAvatar(id: string, at: Pictures): Promise<Blob> {
  return (await call(`/${id}`, at, {})).blob();
}

async function call(path: string, { url = '', token, fetch = globalThis.fetch }: Pictures, init: RequestInit): Promise<Response> {
  const headers = { ...init.headers, Authorization: `Bearer ${await token()}` };
  const response = await fetch(`${url}/api/v1/avatars${path}`, { ...init, headers, credentials: 'omit' }).catch(() => {
    throw new ChatError('unavailable', undefined, true);
  });
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({})) as { error?: { code: ErrorCode; message: string; retryable: boolean; field?: string; retry_after_ms?: number } };
  if (!error) throw new ChatError('unavailable', `HTTP ${response.status}`, true);
  throw new ChatError(error.code, error.message, error.retryable, error.field, error.retry_after_ms);
}
