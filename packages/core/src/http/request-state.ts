import type { IncomingMessage } from 'node:http'
import { performance } from 'node:perf_hooks'
import type { Principal } from '../identity/principal.js'

/** What is known of a request while it is answered. */
export interface RequestState {
  readonly requestId: string
  readonly ip: string
  readonly startedAt: number
  /** Its path below our prefix, as the guards know it. */
  paths: readonly string[]
  principal: Principal | undefined
  /** Whether its answer has been told of: one that goes on for long is when it begins. */
  observed: boolean
}

/** Keeps it beside the request: decorators of one kernel would meet those of the host and of other kernels. */
export interface RequestStates {
  open(request: IncomingMessage, about: { readonly requestId: string; readonly ip: string }): RequestState
  find(request: IncomingMessage): RequestState | undefined
}

export function createRequestStates(): RequestStates {
  const states = new WeakMap<IncomingMessage, RequestState>()
  return {
    open(request, { requestId, ip }) {
      const state: RequestState = {
        requestId,
        ip,
        startedAt: performance.now(),
        paths: [],
        principal: undefined,
        observed: false,
      }
      states.set(request, state)
      return state
    },
    find(request) {
      return states.get(request)
    },
  }
}
