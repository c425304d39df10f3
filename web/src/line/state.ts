// The line: what the connection is called, and what can be done about it. Pure.
//
// It takes the SDK's five states and the browser's word on the network, and gives one view:
// the mark, the line below the name and the note on the sill all draw from it.
import { t } from '../words';

/** The connection, as the SDK tells it. */
export interface LineState {
  state: 'disconnected' | 'connecting' | 'connected' | 'reconnecting' | 'failed';
  /** When this state began, in ms of the device's clock. */
  sinceMs: number;
  /** When the next try starts, while reconnecting. */
  nextMs?: number | undefined;
  /** Whether the browser believes in a network. */
  online: boolean;
  /** Median time of a round trip, if it is measured. */
  rttMs?: number | undefined;
  /** Whether the server will never speak with this version of the page. */
  outdated?: boolean;
}

/** What is drawn. */
export interface LineView {
  /** Chooses the drawing of the mark. */
  look: 'idle' | 'connecting' | 'reconnecting' | 'connected' | 'offline' | 'failed';
  /** Empty while there is nothing worth saying. */
  word: string;
  tone: 'good' | 'wait' | 'bad' | 'plain';
  /** The way to act. */
  act?: string;
  /** Whether the way to act is to load the page anew. */
  reload?: boolean;
  /** How much of the ring is left while reconnecting: 1 to 0. */
  left?: number;
}

/** A blip is not news: shorter than this, connecting says nothing (ui.md, section 3). */
export const blipMs = 400;

/** What to draw at `nowMs`. */
export function lineView(line: LineState, nowMs: number): LineView {
  if (line.state === 'connected') {
    return { look: 'connected', word: t.connected, tone: 'good' };
  }
  if (line.outdated) {
    return { look: 'failed', word: t.notConnected, tone: 'bad', act: t.reload, reload: true };
  }
  if (!line.online) return { look: 'offline', word: t.offline, tone: 'plain' };
  switch (line.state) {
    case 'failed':
      return { look: 'failed', word: t.notConnected, tone: 'bad', act: t.tryAgain };
    case 'disconnected':
      return { look: 'idle', word: t.notConnected, tone: 'plain', act: t.tryAgain };
    case 'reconnecting':
      return reconnecting(line, nowMs);
    case 'connecting':
      if (nowMs - line.sinceMs < blipMs) return { look: 'idle', word: '', tone: 'plain' };
      return { look: 'connecting', word: t.connecting, tone: 'wait' };
  }
}

function reconnecting(line: LineState, nowMs: number): LineView {
  const nextMs = line.nextMs ?? nowMs;
  const restMs = nextMs - nowMs;
  // The try itself: the ring turns until it has ended one way or the other.
  if (restMs <= 0) return { look: 'connecting', word: t.connecting, tone: 'wait' };
  const wholeMs = Math.max(nextMs - line.sinceMs, 1);
  return {
    look: 'reconnecting',
    word: t.reconnectingIn(Math.ceil(restMs / 1000)),
    tone: 'wait',
    act: t.tryNow,
    left: Math.min(1, restMs / wholeMs),
  };
}

/** The note above the composer, while the line is away. */
export interface Note {
  tone: 'plain' | 'wait' | 'bad';
  text: string;
}

/** What the sill says about the line; nothing while all is well. */
export function lineNote(
  view: LineView,
  waiting: number,
  keeps: boolean,
  place: string,
): Note | undefined {
  if (view.look === 'connected' || view.word === '') return undefined;
  if (!keeps) return { tone: 'wait', text: t.keepsNothing };
  switch (view.look) {
    case 'offline':
      return { tone: 'plain', text: t.youAreOffline(waiting) };
    case 'failed':
      return { tone: 'bad', text: view.reload ? t.newVersion : t.couldNotReach(place) };
    case 'reconnecting':
      return { tone: 'wait', text: t.keepWriting };
    case 'connecting':
      // Only with something that waits: else a first start would scold.
      return waiting > 0 ? { tone: 'wait', text: t.keepWriting } : undefined;
    case 'idle':
      return undefined;
  }
}

/** Quality by the median round trip (ui.md, section 2). */
export function quality(rttMs: number): 'good' | 'fair' | 'poor' {
  if (rttMs < 150) return 'good';
  return rttMs <= 400 ? 'fair' : 'poor';
}
