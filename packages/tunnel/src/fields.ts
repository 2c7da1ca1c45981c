import { type TInteger, type TString, type TUnion, Type } from '@sinclair/typebox'

/** A display name: something visible, no control characters (so no NUL). */
export function nameField(maxLength = 100): TString {
  return Type.String({ minLength: 1, maxLength, pattern: '^(?=.*\\S)[^\\u0000-\\u001f\\u007f-\\u009f]*$' })
}

/** An id of the host's directory; a number is taken for its digits. */
export function directoryIdField(): TUnion<[TString, TInteger]> {
  return Type.Union([
    Type.String({ minLength: 1, maxLength: 128, pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]+$' }),
    Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  ])
}

/** What `directoryIdField` took, as Sallyport keeps it. */
export function directoryId(value: string | number | undefined): string | undefined {
  return value === undefined ? undefined : String(value)
}

export function portField(): TInteger {
  return Type.Integer({ minimum: 1, maximum: 65_535 })
}
