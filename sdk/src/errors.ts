import type { ErrorCode } from './wire.js';

/** Codes that arise on the device, beside those of the server. */
export type LocalCode = 'timeout' | 'disconnected' | 'signed_out' | 'refused';

/** Why something was not done. A value to look at: `code` for programs, `message` for developers. */
export class ChatError extends Error {
  override name = 'ChatError';

  constructor(
    readonly code: ErrorCode | LocalCode,
    message: string = code,
    /** Whether the same may succeed later. */
    readonly retryable = false,
    readonly field?: string,
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}
