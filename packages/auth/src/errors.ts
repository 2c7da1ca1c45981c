import { defineErrors, type ErrorCatalogue } from '@sallyport/core'

const definitions = {
  // Signing in
  LOGIN_REFUSED: { status: 401, error: 'invalid_credentials', message: 'E-mail and password do not match' },
  PASSWORD_WRONG: { status: 401, error: 'invalid_credentials', message: 'The current password is wrong' },
  TOO_MANY_ATTEMPTS: { status: 429, message: 'Too many attempts to sign in; try again later' },
  CROSS_SITE_REQUEST: { status: 403, message: 'The request comes from another site. Open the panel at its public URL' },
  SESSION_REQUIRED: { status: 403, message: 'This needs a session' },
  REAUTHENTICATION_REQUIRED: { status: 403, message: 'Prove again who you are: POST /api/auth/reauthenticate' },
  REAUTHENTICATION_REFUSED: { status: 401, error: 'invalid_credentials', message: 'That does not prove who you are' },
  SECOND_FACTOR_REQUIRED: { status: 403, message: 'A password is not enough here: prove it with your second factor' },
  RESET_TOKEN_REFUSED: {
    status: 401,
    error: 'invalid_credentials',
    message: 'The link is not in force: it is used, too old or not the last one. Ask for another',
  },
  MAIL_UNAVAILABLE: {
    status: 503,
    error: 'service_unavailable',
    message: 'Mail cannot be sent at the moment',
    expose: true,
  },
  // The built-in directory
  EMAIL_TAKEN: { status: 409, message: 'Another user has this e-mail address' },
  GRANT_EXCEEDED: { status: 403, error: 'forbidden', message: 'Nobody grants a permission that they do not hold' },
  USER_HOLDS_MORE: { status: 403, error: 'forbidden', message: 'The user holds permissions that the caller does not' },
  LAST_ADMINISTRATOR: { status: 409, message: 'Nobody else holds the permission *; give it to another user first' },
  // Organisations
  ROLE_EXCEEDED: { status: 403, error: 'forbidden', message: 'Only an owner makes and removes owners' },
  LAST_OWNER: {
    status: 409,
    message: 'The organisation would be left without an owner: hand it over or delete it first',
  },
  ORGANISATION_LIMIT: { status: 409, message: 'Nobody has more than {limit} organisations in this way' },
  MEMBER_LIMIT: { status: 409, message: 'An organisation has {limit} members at most' },
  // Passwords
  HASH_UNKNOWN: { status: 500, message: 'A sample is the stored hash of no known format' },
  HASHING_BUSY: {
    status: 503,
    error: 'service_unavailable',
    message: 'Too many passwords are being checked',
    expose: true,
  },
  // Two-factor
  SECOND_FACTOR_REFUSED: {
    status: 401,
    error: 'invalid_code',
    message: 'The code is wrong, has ended or has been used',
  },
  TEMP_TOKEN_REFUSED: {
    status: 401,
    error: 'invalid_temp_token',
    message: 'This sign-in has ended; begin again with the password',
  },
  TWO_FACTOR_SETUP_MISSING: { status: 409, message: 'No set-up is under way: GET /api/auth/2fa/setup' },
  TWO_FACTOR_OFF: { status: 409, message: 'Two-factor sign-in is not on' },
  OWN_TWO_FACTOR: { status: 409, message: 'Turn off your own with a code: POST /api/auth/2fa/disable' },
  TOO_MANY_CODES: { status: 429, message: 'Too many codes have been sent; try again later' },
  // Passkeys
  PASSKEY_REFUSED: { status: 401, message: 'The passkey was not accepted' },
  PASSKEY_TAKEN: { status: 409, message: 'This passkey is registered already' },
  TOO_MANY_PASSKEYS: { status: 409, message: 'A user has at most {limit} passkeys; remove one first' },
  // API keys
  ADDRESS_NOT_ALLOWED: { status: 403, message: 'The API key may not be used from this address' },
  API_KEY_LIMIT: { status: 403, error: 'quota_exceeded', message: 'A user has at most {limit} API keys' },
  API_KEY_EXCEEDS_OWNER: {
    status: 403,
    error: 'forbidden',
    message: 'An API key is given nothing that its owner does not hold',
  },
  API_KEY_EXCEEDS_MAKER: {
    status: 403,
    error: 'forbidden',
    message: 'An API key gives another no more than it has itself: {field}',
  },
  API_KEY_HOLDS_MORE: { status: 403, error: 'forbidden', message: 'The API key may do what the caller may not' },
  API_KEY_CHAIN_TOO_LONG: {
    status: 403,
    error: 'forbidden',
    message: 'An API key that was made by one that was made by another, and so on, makes no more',
  },
  API_KEY_CHANGED: { status: 409, message: 'The API key has just been changed by another request' },
} as const

/** Every error that `@sallyport/auth` throws on purpose; codes are `AUTH_ERR_<KEY>`. */
export const authErrors: ErrorCatalogue<typeof definitions> = defineErrors('AUTH', definitions)
