import { CONTROL_LIMITS, parseAgentMessage, type StateMessage, type StatusMessage } from '@sallyport/relay'
import type { ControlPeer, ControlSession } from './control-session.js'
import type { TargetErrors } from './target-errors.js'

/** What agents want of the panel. */
export interface AgentRequests {
  /** A fresh ticket, or `undefined` when the relay does not serve the device. */
  issueTicket(relayId: string, deviceId: string): string | undefined | Promise<string | undefined>
  setTargetErrors(deviceId: string, errors: TargetErrors): void
  failed(session: ControlSession, error: unknown): void
}

/** Ids of states sent on one session that an agent may still speak of. */
const maxKnownIds = 2 * CONTROL_LIMITS.allocations
/** Tickets that one agent waits for at one time. */
const maxTicketsUnderWay = CONTROL_LIMITS.relays

/** An agent that has been welcomed. */
export class AgentPeer implements ControlPeer {
  readonly #session: ControlSession
  readonly #requests: AgentRequests
  /** Allocations of the states that were sent. */
  #known: Set<number> | undefined
  /** What it last said of its targets, as JSON. */
  #said: string | undefined
  #ticketsUnderWay = 0

  constructor(session: ControlSession, requests: AgentRequests) {
    this.#session = session
    this.#requests = requests
  }

  /** Sends the state, and lets the agent speak of what is in it. */
  tell(state: StateMessage): void {
    const ids = state.allocations.map(({ id }) => id)
    // What it says may cross with a state that has them no longer.
    if (!this.#known || this.#known.size + ids.length > maxKnownIds) this.#known = new Set(ids)
    else for (const id of ids) this.#known.add(id)
    this.#session.send(state)
  }

  receive(text: string): void {
    const parsed = parseAgentMessage(text)
    if (!parsed.ok) this.#session.refuse(parsed.error, 'the message is not understood', parsed.field)
    else if (parsed.message.type === 'status') this.#onStatus(parsed.message)
    else if (parsed.message.type === 'ticket') void this.#onTicket(parsed.message.relayId)
    else this.#session.refuse('unexpected_message', 'hello came twice')
  }

  ended(): void {
    this.#known = undefined
  }

  #onStatus({ refused = [] }: StatusMessage): void {
    if (refused.some(({ allocationId }) => !this.#known?.has(allocationId))) {
      this.#session.refuse('foreign_allocation', 'an allocation is not of this device')
      return
    }
    const errors: Record<number, string> = {}
    for (const { allocationId, error } of refused) errors[allocationId] = error
    const said = JSON.stringify(errors)
    if (said === this.#said) return
    this.#said = said
    this.#requests.setTargetErrors(this.#session.deviceId, errors)
  }

  async #onTicket(relayId: string): Promise<void> {
    if (this.#ticketsUnderWay >= maxTicketsUnderWay) return
    this.#ticketsUnderWay += 1
    try {
      const ticket = await this.#requests.issueTicket(relayId, this.#session.deviceId)
      if (ticket !== undefined) this.#session.send({ type: 'ticket', relayId, ticket })
    } catch (error) {
      this.#requests.failed(this.#session, error)
    } finally {
      this.#ticketsUnderWay -= 1
    }
  }
}
