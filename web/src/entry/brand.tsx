// The mark and the name of the place.
import { Mark } from '../line/mark';

export function Brand({ name }: { name: string }) {
  return (
    <div class="brandline">
      <Mark look="connected" />
      <span class="cut">{name}</span>
    </div>
  );
}
