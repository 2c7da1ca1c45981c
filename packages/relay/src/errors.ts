/** The error catalogue of this package. Codes are stable; a code is never reused for another meaning. */
export const RELAY_ERRORS = {
  RELAY_ERR_INVALID_OPTION: 'An option is not valid',
  RELAY_ERR_INVALID_STATE: 'The desired state is not valid',
  RELAY_ERR_INVALID_ALLOW_RULE: 'An allow rule is not of the form HOST:PORT or HOST:PORT-PORT',
  RELAY_ERR_NOT_RUNNING: 'The relay is not running',
  RELAY_ERR_ALREADY_RUNNING: 'The relay is already running',
  RELAY_ERR_DATA_PORT: 'The data port cannot be bound',
  RELAY_ERR_STORAGE_CORRUPT: 'The stored state cannot be read',
  RELAY_ERR_STORAGE_WRITE: 'The state cannot be stored',
  RELAY_ERR_HANDOVER_FAILED: 'The relay could not be handed over',
  RELAY_ERR_STOPPED: 'The agent was stopped',
} as const

export type RelayErrorCode = keyof typeof RELAY_ERRORS

/** Thrown on misuse and on failures of the environment. What the network does wrong is never thrown. */
export class RelayError extends Error {
  readonly code: RelayErrorCode

  constructor(code: RelayErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail === undefined ? RELAY_ERRORS[code] : `${RELAY_ERRORS[code]}: ${detail}`, options)
    this.name = 'RelayError'
    this.code = code
  }
}
