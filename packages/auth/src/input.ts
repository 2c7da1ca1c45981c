import { coreErrors, isPermission, type SallyportError } from '@sallyport/core'
import { type TString, Type } from '@sinclair/typebox'
import { emailPattern, isEmail, maxEmailLength } from './email.js'
import { maxPasswordInputLength } from './password.js'

/** What a schema cannot say of a body's fields. The schemas and the checks here go together. */

const maxNameLength = 200

/** Schema of an e-mail address. */
export const emailSchema: TString = Type.String({ maxLength: maxEmailLength, pattern: emailPattern })

/** Schema of a password, one to sign in with or one to be chosen. */
export const passwordSchema: TString = Type.String({ minLength: 1, maxLength: maxPasswordInputLength })

/** Schema of a person's name: no control characters. */
export const nameSchema: TString = Type.String({
  minLength: 1,
  maxLength: maxNameLength,
  pattern: '^[^\\p{Cc}\\p{Cs}]*$',
})

/** Throws `CORE_ERR_VALIDATION_FAILED` (400) naming the field. */
export function assertEmail(email: string, path = '/email'): void {
  if (!isEmail(email)) throw refuse(path, 'must be an e-mail address')
}

/** Throws `CORE_ERR_VALIDATION_FAILED` (400) naming the first that is no permission. */
export function assertPermissions(permissions: readonly string[], path = '/permissions'): void {
  const at = permissions.findIndex((permission) => !isPermission(permission))
  if (at !== -1) throw refuse(`${path}/${at}`, 'must be a permission such as servers:read')
}

/** The error for a field that is refused. `path` is a JSON pointer (RFC 6901). */
export function refuse(path: string, message: string): SallyportError {
  return coreErrors.VALIDATION_FAILED({ reason: `${path.slice(1)} ${message}` }, { errors: [{ path, message }] })
}
