// Taking away what is one's own, and deleting the account: over HTTP, with an access token.
import { Refused, refusal } from './account';

/** What becomes of one's messages. */
export type Words = 'keep' | 'redact';

async function ask(path: string, init: RequestInit, token: string, fetcher: typeof fetch): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetcher(`/api/v1/${path}`, {
      ...init,
      credentials: 'same-origin',
      cache: 'no-store',
      headers: { ...init.headers, authorization: `Bearer ${token}` },
    });
  } catch {
    throw new Refused('offline');
  }
  if (answer.ok) return answer;
  throw refusal(await answer.json().catch(() => undefined), answer.status);
}

/** Everything that the server keeps of one. Throws `Refused`; `cut_off` when the end is missing. */
export async function download(token: string, fetcher: typeof fetch = fetch.bind(globalThis)): Promise<Blob> {
  const answer = await ask('account/export', {}, token, fetcher);
  let file: Blob;
  try {
    file = await answer.blob();
  } catch {
    throw new Refused('cut_off');
  }
  const lines = (await file.slice(-200).text()).trimEnd().split('\n');
  if (!lines.at(-1)?.includes('"type":"end"')) throw new Refused('cut_off');
  return file;
}

/** Deletes the account for good. Throws `Refused`. */
export async function erase(token: string, messages: Words, password: string, fetcher: typeof fetch = fetch.bind(globalThis)): Promise<void> {
  const body = JSON.stringify({ messages, password });
  await ask('account', { method: 'DELETE', headers: { 'content-type': 'application/json' }, body }, token, fetcher);
}
