import { isUuid } from '../uuid.js'

/** The type that a host's database has for users' ids. */
export type UserIdType = 'integer' | 'bigint' | 'uuid' | 'text'

const integerExpression = /^(0|-?[1-9]\d{0,18})$/
const maxTextLength = 255
const controlCharacter = /[\p{Cc}\p{Surrogate}]/u

/** Whether the database takes `id` for one: asked before an id from outside meets it. An integer has one spelling. */
export function isUserId(type: UserIdType, id: string): boolean {
  if (type === 'uuid') return isUuid(id)
  if (type === 'text') return id !== '' && id.length <= maxTextLength && !controlCharacter.test(id)
  return integerExpression.test(id) && BigInt.asIntN(type === 'integer' ? 32 : 64, BigInt(id)) === BigInt(id)
}
