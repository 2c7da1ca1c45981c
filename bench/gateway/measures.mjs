import { allocations } from './allocations.mjs'
import { idle } from './idle.mjs'
import { revocation } from './revocation.mjs'

export const measures = {
  'gateway-agents': idle,
  'gateway-revocation': revocation,
  'gateway-allocations': (context) => allocations({ ...context, embedded: false }),
  'gateway-allocations-embedded': (context) => allocations({ ...context, embedded: true }),
}
