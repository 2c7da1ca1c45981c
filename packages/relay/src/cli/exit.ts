/** Exit codes of the command. 69 is EX_UNAVAILABLE of sysexits. */
export const ExitCode: {
  readonly ok: 0
  readonly failure: 1
  readonly usage: 2
  readonly notEnrolled: 3
  readonly unreachable: 69
} = Object.freeze({ ok: 0, failure: 1, usage: 2, notEnrolled: 3, unreachable: 69 })

export type ExitCodeValue = (typeof ExitCode)[keyof typeof ExitCode]

/** Ends a command with words for people, a snake_case code for `--json`, and an exit code. */
export class CliError extends Error {
  readonly code: string
  readonly exitCode: ExitCodeValue

  constructor(code: string, message: string, exitCode: ExitCodeValue = ExitCode.failure) {
    super(message)
    this.name = 'CliError'
    this.code = code
    this.exitCode = exitCode
  }
}
