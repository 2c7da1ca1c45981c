/** A way in which programs store passwords. */
export interface PasswordScheme {
  /** Such as `bcrypt`. */
  readonly name: string
  /**
   * What work it is to verify a password against `stored`, such as `bcrypt:10`: the same text for the same work.
   * `undefined` when `stored` is not of this scheme, or is more work than any program asks for.
   */
  workOf(stored: string): string | undefined
  /** The texts that its program may have hashed for a password as it was typed; left out, that text alone. */
  forms?(password: string): readonly string[]
  /** Whether `stored` is the hash of exactly this text. Called for what `workOf` knows. */
  verify(stored: string, password: string): Promise<boolean>
}
