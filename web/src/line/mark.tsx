// The mark: a ring with a gap and a dot in it. It is the connection indicator.
import type { LineView } from './state';

/** The ring is three quarters of a circle when nothing turns or drains. */
const whole = 75;

export function Mark({ look, left }: { look: LineView['look']; left?: number | undefined }) {
  const drained = left === undefined ? {} : { style: { strokeDasharray: `${whole * left} 100` } };
  return (
    <svg class="mark" data-look={look} viewBox="0 0 30 30" aria-hidden="true">
      {left !== undefined && <circle class="track" cx="15" cy="15" r="11" />}
      <circle class="ring" pathLength="100" cx="15" cy="15" r="11" {...drained} />
      <circle class="dot" cx="23.6" cy="23.6" r="4.2" />
    </svg>
  );
}
