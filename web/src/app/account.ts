// Accounts over HTTP: who one is, and the access token that lives in memory only.
//
// The refresh token is a cookie that no script sees. It changes with each use, so tabs take turns.

/** Somebody with an account. */
export interface User {
  id: string;
  name: string;
  version: number;
}

/** How new accounts come about. */
export type Registration = 'open' | 'invite' | 'closed';

/** What a server says of itself to anybody. */
export interface ServerInfo {
  name: string;
  version: string;
  registration: Registration;
}

/** Why the server, or the way to it, refused. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    readonly field?: string,
    readonly retryAfterMs?: number,
  ) {
    super(code);
    this.name = 'Refused';
  }
}

interface Grant {
  user: User;
  access_token: string;
  expires_in_ms: number;
}

/** A token this close to its end is not used any more. */
const spareMs = 30_000;

/** Accounts of the server that the page came from. */
export class Accounts {
  #token: string | undefined;
  #endsMs = 0;
  readonly #fetch: typeof fetch;
  readonly #locks: LockManager | undefined;

  /** `locks` are absent where the page is not served securely: there tabs do not wait. */
  constructor(
    fetcher: typeof fetch = fetch.bind(globalThis),
    locks: LockManager | undefined = globalThis.navigator?.locks,
  ) {
    this.#fetch = fetcher;
    this.#locks = locks;
  }

  server(): Promise<ServerInfo> {
    return this.#call<ServerInfo>('server');
  }

  login(name: string, password: string): Promise<User> {
    return this.#grant('login', { name, password });
  }

  register(name: string, password: string, invite?: string): Promise<User> {
    return this.#grant('register', invite ? { name, password, invite } : { name, password });
  }

  setup(token: string, name: string, password: string): Promise<User> {
    return this.#grant('setup', { token, name, password });
  }

  /** Goes on with the session of the cookie. */
  refresh(): Promise<User> {
    const run = () => this.#grant('refresh', {});
    // Two tabs with one cookie would each use it once, and the second use looks like theft.
    return this.#locks ? this.#locks.request('chinwag-refresh', run) : run();
  }

  async logout(): Promise<void> {
    await this.#call('logout', {});
    this.#token = undefined;
  }

  /** A token for the socket, and whose it is when it had to be fetched. */
  async token(nowMs: number): Promise<{ token: string; user?: User }> {
    const held = this.#token;
    // Once handed out, a token is not handed out again: the SDK asks when it wants another one.
    this.#token = undefined;
    if (held && nowMs < this.#endsMs - spareMs) return { token: held };
    const user = await this.refresh();
    const token = this.#token ?? '';
    this.#token = undefined;
    return { token, user };
  }

  async #grant(path: string, body: object): Promise<User> {
    const grant = await this.#call<Grant | undefined>(path, body);
    // An answer without a body: this browser has no session.
    if (!grant) throw new Refused('signed_out');
    this.#token = grant.access_token;
    this.#endsMs = Date.now() + grant.expires_in_ms;
    return grant.user;
  }

  async #call<T>(path: string, body?: object): Promise<T> {
    let answer: Response;
    try {
      answer = await this.#fetch(`/api/${path}`, {
        method: body ? 'POST' : 'GET',
        credentials: 'same-origin',
        cache: 'no-store',
        ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
      });
    } catch {
      throw new Refused('offline');
    }
    const told: unknown = await answer.json().catch(() => undefined);
    // Somebody else answered, such as the page of a network that wants a sign-in of its own.
    if (answer.ok && told === undefined && answer.status !== 204) throw new Refused('offline');
    if (answer.ok) return told as T;
    throw refusal(told, answer.status);
  }
}

/** What a failed answer says. */
export function refusal(told: unknown, status: number): Refused {
  const error = (told as { error?: { code?: unknown; field?: string; retry_after_ms?: number } } | undefined)?.error;
  if (typeof error?.code === 'string') return new Refused(error.code, error.field, error.retry_after_ms);
  // A proxy that answers in place of the server.
  return new Refused(status >= 500 ? 'offline' : 'unknown');
}
