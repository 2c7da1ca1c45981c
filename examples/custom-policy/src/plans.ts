import type { AllocationAttempt, Verdict } from '@sallyport/tunnel'

/** What an account has paid for. */
export interface Plan {
  readonly protocols: readonly AllocationAttempt['protocol'][]
  /** Whether they may say which public port they want. */
  readonly choosesPort: boolean
  /** Ports on their own machine that they may open to the world. */
  readonly localPorts: { readonly from: number; readonly to: number }
  /** At once, over all their tunnels. */
  readonly maxPlayers: number
  /** Whether relays with the label `tier: premium` are theirs too. */
  readonly premiumRelays: boolean
}

export type PlanName = 'free' | 'pro'

export const plans: Readonly<Record<PlanName, Plan>> = {
  free: {
    protocols: ['tcp'],
    choosesPort: false,
    // Nobody's SSH, mail or web server by mistake.
    localPorts: { from: 1_024, to: 65_535 },
    maxPlayers: 2,
    premiumRelays: false,
  },
  pro: {
    protocols: ['tcp', 'udp', 'both'],
    choosesPort: true,
    localPorts: { from: 1, to: 65_535 },
    maxPlayers: 100,
    premiumRelays: true,
  },
}

/** Whether a plan has this tunnel in it. The reason is told to whoever asked. */
export function checkPlan(
  name: PlanName,
  { protocol, port, localPort }: Pick<AllocationAttempt, 'protocol' | 'port' | 'localPort'>,
): Verdict {
  const { protocols, choosesPort, localPorts } = plans[name]
  const refuse = (reason: string): Verdict => ({ allow: false, reason })
  if (!protocols.includes(protocol)) return refuse(`the plan ${name} has ${protocols.join(', ')} only, not ${protocol}`)
  if (port !== undefined && !choosesPort) return refuse(`the plan ${name} does not choose its public ports`)
  if (localPort < localPorts.from || localPort > localPorts.to) {
    return refuse(`the plan ${name} opens local ports from ${localPorts.from} to ${localPorts.to} only`)
  }
  return { allow: true }
}
