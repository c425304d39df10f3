// The picture at the door: the mark, many times, as voices around a middle.
import { t } from '../words';

/** Radius, length of the arc in hundredths, turn in degrees, and where its dot stands. */
const voices = [
  [206, 78, -20, 354.2, 72.3],
  [156, 64, 120, 339, 378.1],
  [106, 74, 40, 355.3, 237.4],
  [56, 70, 250, 196.2, 234.6],
] as const;

export function Art() {
  return (
    <div class="door-art">
      <svg class="art" viewBox="0 0 500 500" aria-hidden="true">
        {voices.map(([radius, length, turn, x, y], index) => (
          <>
            <circle class={`art-${index + 1}`} cx="250" cy="250" r={radius} pathLength="100" stroke-dasharray={`${length} 100`} transform={`rotate(${turn} 250 250)`} />
            <circle class={`dot art-${index + 1}`} cx={x} cy={y} r="14" />
          </>
        ))}
      </svg>
      <p>
        {t.motto.map((line) => (
          <span>{line}</span>
        ))}
      </p>
    </div>
  );
}
