// What every screen of a place may need, handed down by context.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

import type { Drafts } from '../composer/drafts';
import type { Place } from '../model';
import type { Nav } from './nav';
import type { Session } from './session';

export interface World {
  session: Session;
  place: Place;
  drafts: Drafts;
  nav: Nav;
}

export const WorldContext = createContext<World | undefined>(undefined);

export function useWorld(): World {
  const world = useContext(WorldContext);
  if (!world) throw new Error('this screen belongs inside of a place');
  return world;
}
