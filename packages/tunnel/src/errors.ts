import { defineErrors, type ErrorCatalogue } from '@sallyport/core'

const definitions = {
  // Start
  PORT_RANGE_INVALID: { status: 500, message: 'The port range {from}-{to} is not valid' },
  RELAY_START_FAILED: { status: 500, message: 'The embedded relay cannot start: {reason}' },
  WEBHOOK_INVALID: { status: 500, message: 'Webhook {index} is not valid: {reason}' },
  RELAY_UNANSWERED: { status: 503, message: 'The relay {relay} did not say in time that it serves what it was told' },
  // Enrolment (RFC 8628)
  ENROLMENT_UNKNOWN: { status: 404, error: 'not_found', message: 'There is no such enrolment' },
  ENROLMENT_EXPIRED: { status: 410, message: 'The enrolment has expired; start again' },
  ENROLMENT_DENIED: { status: 410, message: 'The enrolment was denied' },
  ENROLMENT_REDEEMED: { status: 410, message: 'The token of this enrolment is in use; it is not given out again' },
  POLLING_TOO_FAST: { status: 429, error: 'slow_down', message: 'Poll no faster than the interval' },
  TOO_MANY_ENROLMENTS: { status: 429, message: 'Too many devices wait for approval' },
  SERVER_KIND_FORBIDDEN: {
    status: 403,
    error: 'forbidden',
    message: 'A device of kind server needs the permission tunnels:approve',
  },
  ORGANISATION_FORBIDDEN: {
    status: 403,
    error: 'forbidden',
    message: 'This needs an owner or admin of the organisation',
  },
  // Approval
  USER_CODE_UNKNOWN: { status: 404, error: 'not_found', message: 'No device waits with this code' },
  ALREADY_APPROVED: { status: 409, message: 'The device is approved already' },
  ORGANISATION_UNKNOWN: { status: 400, message: 'The organisation is not known' },
  OWNER_UNKNOWN: { status: 400, message: 'The owner is not known or is suspended' },
  // Devices and allocations
  DEVICE_UNKNOWN: { status: 404, error: 'not_found', message: 'There is no such device' },
  DEVICE_REQUIRED: { status: 400, message: 'deviceId is missing' },
  DEVICE_NOT_APPROVED: { status: 409, message: 'The device is not approved' },
  WRONG_KIND: { status: 409, message: 'A device of kind server is a relay and has no allocations of its own' },
  ALLOCATION_UNKNOWN: { status: 404, error: 'not_found', message: 'There is no such allocation' },
  LOCAL_HOST_INVALID: { status: 400, message: 'localHost is neither a host name nor an IP address' },
  PORT_OUT_OF_RANGE: { status: 400, message: 'The port is not within {from}-{to}' },
  PORT_TAKEN: { status: 409, message: 'The port {port} is taken' },
  QUOTA_EXCEEDED: { status: 403, message: 'The quota of {limit} allocations is used up' },
  NO_PORTS_AVAILABLE: { status: 503, expose: true, message: 'No public port is free' },
  TOO_MANY_STREAMS: { status: 429, message: 'More than {limit} streams are open' },
  // The host's hooks
  ENROLMENT_REFUSED: { status: 403, message: 'The enrolment is refused: {reason}' },
  ALLOCATION_REFUSED: { status: 403, message: 'The allocation is refused: {reason}' },
  HOOK_UNAVAILABLE: {
    status: 503,
    expose: true,
    message: 'Whether this is permitted cannot be found out at the moment',
  },
  NO_RELAY_AVAILABLE: { status: 503, expose: true, message: 'No relay is there to serve an allocation' },
} as const

/** Every error that `@sallyport/tunnel` throws on purpose; codes are `TUNNEL_ERR_<KEY>`. */
export const tunnelErrors: ErrorCatalogue<typeof definitions> = defineErrors('TUNNEL', definitions)
