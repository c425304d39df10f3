/** Many small occasions become few requests. Lives as long as who uses it. */

import type { Clock } from './env.js';

/**
 * Takes ids one by one, each once, and hands them over together: `ms` after the first, at most `max` at a time, and
 * not more often than every `pace` ms.
 */
export function gather(
  core: { clock: Clock }, ms: number, max: number, run: (ids: string[]) => void, pace = ms,
): (id: string) => void {
  const ids = new Set<string>();
  let next = 0;
  const later = () => {
    const now = core.clock.now();
    // A clock that was set back must not make this wait.
    const wait = Math.max(ms, Math.min(pace, next - now));
    next = now + wait + pace;
    core.clock.after(wait, () => {
      const some = [...ids].slice(0, max);
      for (const id of some) ids.delete(id);
      if (ids.size) later();
      run(some);
    });
  };
  return (id) => {
    if (!ids.size) later();
    ids.add(id);
  };
}
