// A component that is drawn again only when one of its properties is another one.
import type { Component, ComponentChild, FunctionComponent } from 'preact';

export function memo<P extends object>(draw: (props: P) => ComponentChild): FunctionComponent<P> {
  function Kept(this: Component<P>, props: P) {
    this.shouldComponentUpdate = (next) => !same(this.props as P, next as P);
    return draw(props);
  }
  return Kept as unknown as FunctionComponent<P>;
}

function same(a: object, b: object): boolean {
  const keys = Object.keys(b) as (keyof typeof b)[];
  return keys.length === Object.keys(a).length && keys.every((key) => a[key] === b[key]);
}
