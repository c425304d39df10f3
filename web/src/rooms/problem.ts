// Why an act did not work, in words. Pure.
import { said } from '../words-later';

/** Reads the code of whatever was thrown. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : 'unknown';
}

export function actProblem(error: unknown): string {
  return said.actError(codeOf(error));
}
