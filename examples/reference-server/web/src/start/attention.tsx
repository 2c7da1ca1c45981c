import type { Device, Relay } from '@sallyport/relay/client'
import type { ComponentChildren } from 'preact'
import { isAgent, isPending } from '../devices/kinds.js'
import { useNow } from '../devices/use-now.js'
import { useSession } from '../session.js'
import { addressOf, type Tunnel } from '../tunnels/pairs.js'
import { Badge } from '../ui/badge.js'
import { plural, Time } from '../ui/format.js'
import { Section } from '../ui/page.js'
import { troubleOf } from './trouble.js'

interface AttentionProps {
  readonly devices: readonly Device[]
  readonly tunnels: readonly Tunnel[]
  readonly relays: readonly Relay[]
}

interface Matter {
  readonly key: string
  readonly badge: string
  readonly variant: 'warning' | 'danger'
  readonly text: ComponentChildren
  readonly href: string
  readonly action: string
  /** For screen readers. */
  readonly label: string
}

const mostShown = 8

/** What somebody should look at: what waits, what is away, what does not work. */
export function Attention({ devices, tunnels, relays }: AttentionProps) {
  const { may } = useSession()
  const now = useNow()
  const byId = new Map(devices.map((device) => [device.id, device]))
  const matters = [
    ...(may('tunnels:approve') ? devices.filter((device) => isPending(device, now)).map(waiting) : []),
    ...relays.filter(({ online }) => !online).map(relayAway),
    ...tunnels.flatMap((tunnel) => broken(tunnel, byId.get(tunnel.main.deviceId))),
    ...devices.filter((device) => isAgent(device) && !device.online).map((device) => deviceAway(device, tunnels)),
  ]
  return (
    <Section title="Needs attention">
      {matters.length === 0 ? (
        <p class="text-light all-well">Nothing at the moment. Devices, tunnels and relays are fine.</p>
      ) : (
        <ul class="matters">
          {matters.slice(0, mostShown).map(({ key, badge, variant, text, href, action, label }) => (
            <li key={key}>
              <Badge variant={variant}>{badge}</Badge>
              <span class="matter">{text}</span>
              <a href={href} aria-label={label}>
                {action}
              </a>
            </li>
          ))}
        </ul>
      )}
      {matters.length > mostShown && (
        <p class="text-light">
          And {plural(matters.length - mostShown, 'other')}: see <a href="/devices">devices</a>,{' '}
          <a href="/tunnels">tunnels</a> and <a href="/relays">relays</a>.
        </p>
      )}
    </Section>
  )
}

function waiting({ id, name, userCode }: Device): Matter {
  return {
    key: id,
    badge: 'Waits for approval',
    variant: 'warning',
    text: (
      <>
        <bdi class="strong">{name}</bdi> <code>{userCode}</code>
      </>
    ),
    href: `/tunnel/verify?user_code=${userCode}`,
    action: 'Approve or deny',
    label: `Approve or deny ${name}`,
  }
}

function deviceAway({ id, name, lastSeenAt }: Device, tunnels: readonly Tunnel[]): Matter {
  const own = tunnels.filter(({ main }) => main.deviceId === id).length
  return {
    key: id,
    badge: 'Device offline',
    variant: 'warning',
    text: (
      <>
        <bdi class="strong">{name}</bdi> {lastSeenAt === null ? 'was never seen' : 'was last seen '}
        {lastSeenAt !== null && <Time at={lastSeenAt} />}
        {own > 0 && `; ${plural(own, 'tunnel leads', 'tunnels lead')} to it`}
      </>
    ),
    href: '/devices',
    action: 'Devices',
    label: `Devices, because of ${name}`,
  }
}

function broken(tunnel: Tunnel, device: Device | undefined): Matter[] {
  const trouble = troubleOf(tunnel, device)
  if (!trouble) return []
  const { main } = tunnel
  const name = main.name ?? addressOf(main)
  return [
    {
      key: `tunnel-${main.id}`,
      badge: trouble.words,
      variant: trouble.variant === 'danger' ? 'danger' : 'warning',
      text: (
        <>
          <bdi class="strong">{name}</bdi> <span class="text-light">{trouble.reason}</span>
        </>
      ),
      href: `/tunnels/${main.id}`,
      action: 'Tunnel',
      label: `Tunnel ${name}`,
    },
  ]
}

function relayAway({ id, name, lastSeenAt, load }: Relay): Matter {
  return {
    key: `relay-${id}`,
    badge: 'Relay offline',
    variant: 'danger',
    text: (
      <>
        <bdi class="strong">{name}</bdi> was last seen <Time at={lastSeenAt} />
        {load.allocations > 0 && `; ${plural(load.allocations, 'tunnel')} of its own`}
      </>
    ),
    href: '/relays',
    action: 'Relays',
    label: `Relays, because of ${name}`,
  }
}
