/** One entry of an error catalogue. Its key, such as `PORT_TAKEN`, gives the code `<PREFIX>_ERR_PORT_TAKEN`. */
export interface ErrorDefinition {
  /** HTTP status (RFC 9110) that the error has when it leaves through a route. */
  readonly status: number
  /** What happened, for the reader, with `{name}` holes that the thrower fills. */
  readonly message: string
  /** Snake-case code in the answer's `error`; by default the key in lower case. */
  readonly error?: string
  /** Whether `message` may be shown to a client; by default for every status below 500. */
  readonly expose?: boolean
}

export type ErrorDefinitions = Readonly<Record<string, ErrorDefinition>>

type Holes<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Holes<Rest> : never
type Fill = string | number
type ErrorArguments<Text extends string> = [Holes<Text>] extends [never]
  ? [values?: undefined, options?: SallyportErrorOptions]
  : [values: Readonly<Record<Holes<Text>, Fill>>, options?: SallyportErrorOptions]

/** A field of a request's body that was refused. */
export interface FieldError {
  /** RFC 6901 pointer into the body, such as `/email`. */
  readonly path: string
  readonly message: string
}

export interface SallyportErrorOptions {
  readonly cause?: unknown
  /** The refused fields of a body. */
  readonly errors?: readonly FieldError[]
  /** Seconds until it is worth trying again; sent as `Retry-After`. */
  readonly retryAfter?: number
  /** Further response headers. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Every error that Sallyport throws on purpose. Tell them apart by `code`, never by `message`. */
export class SallyportError extends Error {
  readonly code: string
  readonly status: number
  readonly error: string
  readonly expose: boolean
  readonly errors: readonly FieldError[] | undefined
  readonly retryAfter: number | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(code: string, definition: Required<ErrorDefinition>, message: string, options: SallyportErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'SallyportError'
    this.code = code
    this.status = definition.status
    this.error = definition.error
    this.expose = definition.expose
    this.errors = options.errors
    this.retryAfter = options.retryAfter
    this.headers = options.headers ?? {}
  }
}

/** Makes one kind of error. */
export interface ErrorFactory<Text extends string = string> {
  (...args: ErrorArguments<Text>): SallyportError
  readonly code: string
  readonly definition: Required<ErrorDefinition>
  /** Whether `error` is of this kind, whichever copy of the package made it. */
  is(error: unknown): error is SallyportError
}

export type ErrorCatalogue<Definitions extends ErrorDefinitions = ErrorDefinitions> = {
  readonly [Key in keyof Definitions]: ErrorFactory<Definitions[Key]['message']>
}

/**
 * Makes a package's error catalogue.
 * @param prefix upper-case name of the package, such as `CORE`: codes are `CORE_ERR_<KEY>`
 * @returns a frozen record of factories under the same keys
 */
export function defineErrors<const Definitions extends ErrorDefinitions>(
  prefix: string,
  definitions: Definitions,
): ErrorCatalogue<Definitions> {
  const factories = Object.entries(definitions).map(([key, definition]) => [key, factory(prefix, key, definition)])
  return Object.freeze(Object.fromEntries(factories))
}

function factory(prefix: string, key: string, given: ErrorDefinition): ErrorFactory {
  const code = `${prefix}_ERR_${key}`
  const definition: Required<ErrorDefinition> = Object.freeze({
    status: given.status,
    message: given.message,
    error: given.error ?? key.toLowerCase(),
    expose: given.expose ?? given.status < 500,
  })
  const make = (values?: Readonly<Record<string, Fill>>, options: SallyportErrorOptions = {}): SallyportError => {
    const message = definition.message.replace(/\{(\w+)\}/g, (hole, name: string) => String(values?.[name] ?? hole))
    const error = new SallyportError(code, definition, message, options)
    Error.captureStackTrace(error, make)
    return error
  }
  const is = (error: unknown): error is SallyportError => isSallyportError(error) && error.code === code
  return Object.freeze(Object.assign(make as ErrorFactory, { code, definition, is }))
}

/** Whether `error` is one of a Sallyport catalogue; by shape, so that two copies of the package agree. */
export function isSallyportError(error: unknown): error is SallyportError {
  return error instanceof Error && error.name === 'SallyportError' && 'code' in error && 'status' in error
}
