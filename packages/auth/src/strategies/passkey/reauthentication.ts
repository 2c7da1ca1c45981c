import { Value } from '@sinclair/typebox/value'
import { refuse } from '../../input.js'
import type { ReauthenticationProof } from '../../sign-in/sign-in.js'
import type { Authentication } from './authentication.js'
import { type AssertionResponse, assertionResponseSchema } from './response-schema.js'

/** Has `POST /api/auth/reauthenticate` take `response`, for a challenge of `authenticate-challenge`. */
export function createReauthenticationProof(authentication: Authentication): ReauthenticationProof {
  return {
    field: 'response',
    async verify(user, value, request) {
      assertAssertionResponse(value)
      const proof = await authentication.prove(value, request)
      return proof.kind === 'proven' && proof.user.id === user.id ? 'passkey' : undefined
    },
  }
}

/** The route knows only that it is an object. */
function assertAssertionResponse(value: unknown): asserts value is AssertionResponse {
  const error = Value.Errors(assertionResponseSchema, value).First()
  if (error) throw refuse(`/response${error.path}`, 'is not what a browser sends')
}
