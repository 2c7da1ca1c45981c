import type { Allocation, Device } from '@sallyport/relay/client'

export interface TunnelState {
  readonly words: string
  readonly variant: 'success' | 'warning' | 'danger' | 'secondary'
  /** What it means for players, or what can be done about it. */
  readonly reason?: string
}

/** Why the agent last could not reach the service (`targetError`). */
const targetErrors: Readonly<Record<string, string>> = {
  target_refused: 'The service on your machine refuses connections. Is it running?',
  target_unreachable: 'The local host is not known to your machine, or it has no way there.',
  target_timeout: 'The service on your machine does not answer.',
  target_forbidden: 'The agent may not dial this service. Start it with --allow to permit it.',
  agent_busy: 'The agent has too many connections at the moment.',
}

/** Why the relay cannot open the port (`statusError`). */
const statusErrors: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program on its machine has it',
  EACCES: 'it may not open ports below 1024',
}

/** How a tunnel is, in words. `device` is undefined when it is not known. */
export function stateOf(allocation: Allocation, device: Device | undefined): TunnelState {
  const { status, statusError, port, targetError, relayName } = allocation
  switch (status) {
    case 'closed':
      return { words: 'Paused', variant: 'secondary', reason: 'Nobody can join until it is resumed.' }
    case 'failed':
      return {
        words: 'Failed',
        variant: 'danger',
        reason: `The relay ${relayName} cannot open port ${port}: ${statusErrors[statusError ?? ''] ?? statusError ?? 'unknown'}. It is tried again.`,
      }
    case 'offline':
      return { words: 'Relay offline', variant: 'danger', reason: `The relay ${relayName} is away. It is waited for.` }
    case 'pending':
      return { words: 'Waiting', variant: 'warning', reason: `The relay ${relayName} is about to open it.` }
    case 'open':
      break
  }
  if (device && !device.online) {
    return { words: 'Device offline', variant: 'warning', reason: `Players get through when ${device.name} is online.` }
  }
  if (targetError !== null) {
    const reason = targetErrors[targetError] ?? `Your machine cannot reach the service (${targetError}).`
    return { words: 'No service', variant: 'warning', reason }
  }
  return { words: 'Open', variant: 'success' }
}
