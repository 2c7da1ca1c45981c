import type { Logger } from '@sallyport/core'
import type { AdmissionRequestMessage, PlayerKnock } from '@sallyport/relay'
import { within } from '../within.js'

/** Decides about players of stand-alone relays. */
export interface RelayAdmission {
  /** How long a relay waits for an answer, and what holds without one. */
  readonly timeoutMs: number
  readonly otherwise: 'allow' | 'deny'
  /** Rejecting, or being late, leaves the question unanswered. */
  decide(relayId: string, player: PlayerKnock): boolean | Promise<boolean>
}

/** One relay's questions. */
export interface AdmissionQuestions {
  ask(question: AdmissionRequestMessage): void
}

/** Questions of one relay that are answered at one time; `otherwise` holds for what is beyond. */
const maxUnderWay = 256

export function createAdmissionQuestions(
  relayId: string,
  { decide, timeoutMs }: RelayAdmission,
  logger: Logger,
  answer: (id: number, allow: boolean) => void,
): AdmissionQuestions {
  let underWay = 0
  let failing = false

  const settle = async ({ id, type: _, ...player }: AdmissionRequestMessage): Promise<void> => {
    try {
      const allow = await within(timeoutMs, decide(relayId, player))
      if (allow !== undefined) answer(id, allow)
      failing = false
    } catch (error) {
      // One line for an outage, not one for each player.
      if (!failing) logger.error({ err: error, relayId }, 'a player of a relay could not be decided about')
      failing = true
    } finally {
      underWay -= 1
    }
  }

  return {
    ask(question) {
      if (underWay >= maxUnderWay) return
      underWay += 1
      void settle(question)
    },
  }
}
