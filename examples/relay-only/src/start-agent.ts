import { type Agent, type AllowRule, createAgent, createTicketIssuer } from '@sallyport/relay'
import { deviceId, grant, relayId } from './tunnel.js'

export interface AgentSettings {
  readonly host: string
  readonly port: number
  /** Of the relay's certificate. */
  readonly fingerprint: string
  readonly secret: Uint8Array
  /** Left out: loopback, every port. */
  readonly allow?: readonly AllowRule[]
}

/** Keeps a link to the relay, with tickets that it issues itself: who has the relay's key may. */
export function startAgent({ host, port, fingerprint, secret, allow }: AgentSettings): Agent {
  const agent = createAgent(allow ? { allow } : {})
  const tickets = createTicketIssuer(relayId, secret)
  const connect = (): void =>
    agent.connect({ id: relayId, host, port, fingerprint, ticket: tickets.issue(deviceId, { grant }) })
  // After each link it has a ticket for the next; a new one is needed when the relay has forgotten, or after a month away.
  agent.on('ticketNeeded', connect)
  connect()
  return agent
}
