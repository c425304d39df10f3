/** Many small occasions become few requests. Lives as long as who uses it. */

import type { Clock } from './env.js';

/**
 * Takes ids one by one, each once, and hands them over together: `ms` after the first, at most `max` at a time;
 * the others follow in the same way.
 */
export function gather(
  core: { clock: Clock }, ms: number, max: number, run: (ids: string[]) => void,
): (id: string) => void {
  const ids = new Set<string>();
  const later = () =>
    core.clock.after(ms, () => {
      const some = [...ids].slice(0, max);
      for (const id of some) ids.delete(id);
      if (ids.size) later();
      run(some);
    });
  return (id) => {
    if (!ids.size) later();
    ids.add(id);
  };
}
