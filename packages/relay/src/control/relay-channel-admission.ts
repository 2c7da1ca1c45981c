import type { Admission, PlayerKnock, Relay } from '../relay-types.js'
import type { WelcomeMessage } from './control.js'
import type { AdmissionAnswerMessage, AdmissionRequestMessage } from './control-relay-messages.js'

/** Lets the panel decide about players, when its `welcome` said so. */
export interface AdmissionQuestions {
  /** The terms hold until the next `welcome`; without a connection what they say for the lack of an answer. */
  terms(terms: WelcomeMessage['admission']): void
  answer(message: AdmissionAnswerMessage): void
  /** The connection is over: no answer will come any more. */
  reset(): void
  /** Gives up questions whose time is over. */
  sweep(): void
}

interface Question {
  until: number
  settle(allow: boolean): void
  giveUp(): void
}

/** Asked and not answered; further players are as if there was no answer. */
const MAX_WAITING = 4_096
/** Questions in a second; a flood of players must not look like one of messages to the panel. */
const MAX_PER_SECOND = 4_000
/** Of them, about one allocation: others' players keep theirs. */
const MAX_PER_SECOND_OF_ONE = 1_000
const SECOND_MS = 1_000

/** @param send false when there is no connection */
export function createAdmissionQuestions(
  relay: Pick<Relay, 'setAdmission'>,
  send: (message: AdmissionRequestMessage) => boolean,
): AdmissionQuestions {
  /** In the order of asking, which is that of `until`. */
  const waiting = new Map<number, Question>()
  let nextId = 0
  let askedSince = 0
  let asked = 0
  const askedOf = new Map<number, number>()

  function ask(player: PlayerKnock, timeoutMs: number): Promise<boolean> {
    const now = performance.now()
    if (now - askedSince >= SECOND_MS) {
      askedSince = now
      asked = 0
      askedOf.clear()
    }
    const { allocationId, protocol, remoteAddress, remotePort } = player
    const ofOne = askedOf.get(allocationId) ?? 0
    if (waiting.size >= MAX_WAITING || asked >= MAX_PER_SECOND || ofOne >= MAX_PER_SECOND_OF_ONE)
      return Promise.reject(new Error('too many players ask'))
    const id = nextId
    if (!send({ type: 'admission', id, allocationId, protocol, remoteAddress, remotePort })) {
      return Promise.reject(new Error('the panel is away'))
    }
    nextId += 1
    asked += 1
    askedOf.set(allocationId, ofOne + 1)
    return new Promise((resolve, reject) => {
      const giveUp = () => reject(new Error('no answer'))
      waiting.set(id, { until: now + timeoutMs, settle: resolve, giveUp })
    })
  }

  return {
    terms(terms) {
      if (terms === undefined) {
        relay.setAdmission(undefined)
        return
      }
      const admission: Admission = { ...terms, decide: (player) => ask(player, terms.timeoutMs) }
      relay.setAdmission(admission)
    },
    answer({ id, allow }) {
      const question = waiting.get(id)
      waiting.delete(id)
      question?.settle(allow)
    },
    reset() {
      for (const question of waiting.values()) question.giveUp()
      waiting.clear()
      nextId = 0
    },
    sweep() {
      const now = performance.now()
      for (const [id, question] of waiting) {
        if (question.until > now) return
        waiting.delete(id)
        question.giveUp()
      }
    },
  }
}
