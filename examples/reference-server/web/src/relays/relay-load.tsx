import type { Relay } from '@sallyport/relay/client'
import { plural } from '../ui/format.js'

/** From this part of its capacity on it is worth a look. */
const high = 0.8

/** Tunnels against what it takes at most. */
export function RelayLoad({ relay: { name, capacity, load } }: { relay: Relay }) {
  const { allocations } = load
  if (capacity === null) {
    return <>{plural(allocations, 'tunnel')}</>
  }
  return (
    <span class="load">
      <span>
        {allocations.toLocaleString('en')} of {plural(capacity, 'tunnel')}
      </span>
      <meter
        aria-label={`Tunnels of ${name}`}
        min={0}
        max={Math.max(capacity, 1)}
        low={capacity * high}
        high={capacity * 0.95}
        optimum={0}
        value={Math.min(allocations, capacity)}
      />
    </span>
  )
}
