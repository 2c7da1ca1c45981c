import { pairUp } from '../tunnels/pairs.js'
import type { LiveListsOf } from '../ui/live-lists.js'
import { Section } from '../ui/page.js'
import { Attention } from './attention.js'
import { Busiest } from './busiest.js'
import { Totals } from './totals.js'

/** How a panel with tunnels is at this moment. */
export function Overview({ devices, allocations, relays }: LiveListsOf) {
  const tunnels = pairUp(allocations)
  return (
    <>
      <Totals devices={devices} allocations={allocations} tunnels={tunnels} />
      <Attention devices={devices} tunnels={tunnels} relays={relays} />
      <Section title="Busiest tunnels" actions={<a href="/tunnels">All tunnels</a>}>
        <Busiest tunnels={tunnels} devices={devices} />
      </Section>
    </>
  )
}
