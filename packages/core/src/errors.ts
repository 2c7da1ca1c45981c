import { defineErrors, type ErrorCatalogue } from './kernel/errors.js'

const definitions = {
  // Registration and start
  PLUGIN_INVALID: { status: 500, message: 'Plugin {plugin} is not valid: {reason}' },
  PLUGIN_DUPLICATE: { status: 500, message: 'Plugin {plugin} is registered twice' },
  PLUGIN_HOST_VERSION: { status: 500, message: 'Plugin {plugin} needs @sallyport/core {range}, this is {version}' },
  PLUGIN_SETUP_FAILED: { status: 500, message: 'Plugin {plugin} failed to start: {reason}' },
  SERVICE_MISSING: { status: 500, message: 'Plugin {plugin} requires service {service}, which no plugin provides' },
  SERVICE_DUPLICATE: { status: 500, message: 'Service {service} is provided by both {first} and {second}' },
  SERVICE_VERSION: {
    status: 500,
    message: 'Plugin {plugin} requires service {service} {range}, {provider} provides {version}',
  },
  SERVICE_CYCLE: { status: 500, message: 'Plugins require each other in a circle: {cycle}' },
  SERVICE_NOT_PROVIDED: { status: 500, message: 'Plugin {plugin} declares service {service} but its setup gave none' },
  SERVICE_UNAVAILABLE: { status: 500, message: 'Service {service} is not available: {reason}' },
  CONFIG_INVALID: { status: 500, message: 'Configuration of {plugin} is not valid: {reason}' },
  ARGUMENT_INVALID: { status: 500, message: '{argument} is not valid: {reason}' },
  KERNEL_STATE: { status: 500, message: 'The kernel is {state}: {action} is not possible' },
  SCOPE_DISPOSED: { status: 500, message: 'Scope {scope} is disposed' },
  DISPOSE_FAILED: { status: 500, message: 'Closing {scope} failed: {reason}' },
  // Storage
  DATABASE_UNREACHABLE: { status: 503, message: 'The database cannot be reached: {reason}' },
  DATABASE_NEWER: {
    status: 500,
    message: 'The database is of a newer version: {plugin} does not know its migration {migration}. Update the program',
  },
  DATABASE_MIGRATION_FAILED: { status: 500, message: 'Migration {migration} of {plugin} failed: {reason}' },
  DATABASE_CORRUPT: { status: 500, message: 'The embedded database in {directory} cannot be opened: {reason}' },
  DATA_DIR_UNUSABLE: { status: 500, message: 'The data directory {directory} cannot be used: {reason}' },
  DATA_DIR_LOCKED: { status: 500, message: 'The data directory {directory} is in use by process {pid}' },
  REDIS_UNREACHABLE: { status: 503, message: 'Redis cannot be reached: {reason}' },
  SECRET_KEYS_INVALID: { status: 500, message: 'The secret keys are not valid: {reason}' },
  // HTTP
  ROUTE_INVALID: { status: 500, message: 'Route {method} {url} is not valid: {reason}' },
  LISTEN_FAILED: { status: 500, message: 'Cannot listen on {host}:{port}: {reason}' },
  BAD_REQUEST: { status: 400, message: '{reason}' },
  VALIDATION_FAILED: { status: 400, message: 'The request is not valid: {reason}' },
  MALFORMED_JSON: { status: 400, message: 'The body is not valid JSON' },
  UNAUTHENTICATED: { status: 401, message: 'This needs valid credentials' },
  INVALID_CREDENTIALS: { status: 401, message: 'The credentials are not valid' },
  CONFLICTING_CREDENTIALS: { status: 400, message: 'The request carries credentials of different principals' },
  FORBIDDEN: { status: 403, message: 'This is not permitted' },
  PERMISSION_REQUIRED: { status: 403, error: 'forbidden', message: 'This needs the permission {permission}' },
  FEATURE_DISABLED: { status: 403, message: 'The feature {feature} is switched off' },
  NOT_FOUND: { status: 404, message: 'There is nothing here' },
  METHOD_NOT_ALLOWED: { status: 405, message: 'The method {method} is not allowed here' },
  REQUEST_TIMEOUT: { status: 408, message: 'The request took too long to arrive' },
  CONFLICT: { status: 409, message: '{reason}' },
  PAYLOAD_TOO_LARGE: { status: 413, message: 'The body is larger than {limit} bytes' },
  URI_TOO_LONG: { status: 414, message: 'A part of the URL is too long' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: 'The content type is not supported; send application/json' },
  UPGRADE_REQUIRED: { status: 426, message: 'This is for WebSocket connections only' },
  TOO_MANY_REQUESTS: { status: 429, message: 'Too many requests' },
  HEADERS_TOO_LARGE: { status: 431, message: 'The header fields are too large' },
  INTERNAL: { status: 500, error: 'internal_error', message: 'Something went wrong' },
  UNAVAILABLE: { status: 503, error: 'service_unavailable', message: '{reason}', expose: true },
  // Settings
  SETTINGS_INVALID: { status: 400, message: 'The settings are not valid: {reason}' },
} as const

/** Every error that `@sallyport/core` throws on purpose; codes are `CORE_ERR_<KEY>`. Listed in docs/errors.md. */
export const coreErrors: ErrorCatalogue<typeof definitions> = defineErrors('CORE', definitions)
