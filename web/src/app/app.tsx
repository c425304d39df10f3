// The page's root: nothing yet, the door, or the place.
import { useMemo } from 'preact/hooks';

import { later } from '../ui/later';
import { Nav } from './nav';
import type { Session, Stage } from './session';
import { Shell } from './shell';
import { WorldContext } from './world';

const Door = later(() => import('../entry/door').then((part) => part.Door));

export function App({ session }: { session: Session }) {
  const stage = session.stage.value;
  switch (stage.at) {
    case 'starting':
      // What the device knows is there within a few frames; a spinner would only flicker.
      return null;
    case 'door':
      return <Door session={session} signedOut={stage.signedOut} />;
    case 'place':
      return <Inside key={stage.place.me.id} session={session} stage={stage} />;
  }
}

function Inside({ session, stage }: { session: Session; stage: Extract<Stage, { at: 'place' }> }) {
  const { place, drafts } = stage;
  const world = useMemo(() => ({ session, place, drafts, nav: new Nav() }), [session, place, drafts]);
  return (
    <WorldContext.Provider value={world}>
      <Shell />
    </WorldContext.Provider>
  );
}
