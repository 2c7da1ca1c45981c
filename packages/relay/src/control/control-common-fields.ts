import type { Encryption } from '../agent-types.js'
import { FINGERPRINT } from '../identity/fingerprint.js'
import { CONTROL_LIMITS } from './control.js'
import * as read from './control-fields.js'

/** Reads a message whose type is known, or throws a FieldError. */
export type Reader<M> = (body: Record<string, unknown>) => M

export const id: read.Field<string> = read.text(CONTROL_LIMITS.idLength)
export const host: read.Field<string> = read.text(CONTROL_LIMITS.hostLength, /^[A-Za-z0-9._:%-]+$/)
export const port: read.Field<number> = read.integer(1, 65_535)
export const fingerprint: read.Field<string> = read.text(64, FINGERPRINT)
export const encryption: read.Field<Encryption> = read.oneOf('tls', 'off')
export const revision: read.Field<number> = read.integer(0)
/** Milliseconds since 1970, as far as a Date goes (ECMA-262 section 21.4.1.1). */
export const time: read.Field<number> = read.integer(0, 8_640_000_000_000_000)
