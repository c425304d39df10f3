// The line as the screens show it: word, quality, and the way to act.
import { computed, type ReadonlySignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';

import { useWorld } from '../app/world';
import type { Place } from '../model';
import { ticking } from '../ui/clock';
import { lineView, quality, type LineState, type LineView } from './state';

const now = ticking(250);

/** The view of a line that follows the clock while something counts down. */
export function watchLine(line: ReadonlySignal<LineState>): ReadonlySignal<LineView> {
  return computed(() => {
    const state = line.value;
    const moves = state.state === 'connecting' || state.state === 'reconnecting';
    return lineView(state, moves ? Math.max(now.value, state.sinceMs) : Date.now());
  });
}

export function useLine(): LineView {
  const { place } = useWorld();
  return useMemo(() => watchLine(place.line), [place]).value;
}

/** Does what the line offers. */
export function actOn(view: LineView, place: Pick<Place, 'retry'>): void {
  if (view.reload) location.reload();
  else place.retry();
}

/** The words under the name of the place. */
export function LineWords() {
  const { place } = useWorld();
  const view = useLine();
  const rttMs = place.line.value.rttMs;
  return (
    <div class="line-state" data-testid="line" data-line={view.look}>
      <span class={`word word-${view.tone} num`} role="status">
        {view.word}
      </span>
      {view.look === 'connected' && rttMs !== undefined && (
        <>
          <span class="bars" data-q={quality(rttMs)} aria-hidden="true">
            <i /> <i /> <i /> <i />
          </span>
          <span class="num">{Math.round(rttMs)} ms</span>
        </>
      )}
      {view.act && (
        <>
          <span class="dot-between" aria-hidden="true">
            ·
          </span>
          <button type="button" class="text-btn" data-testid="retry" onClick={() => actOn(view, place)}>
            {view.act}
          </button>
        </>
      )}
    </div>
  );
}
