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
  HASHING_BUSY: {
    status: 503,
    error: 'service_unavailable',
    message: 'Too many passwords are being checked',
    expose: true,
  },
} as const

/** Every error that `@sallyport/auth` throws on purpose; codes are `AUTH_ERR_<KEY>`. */
export const authErrors: ErrorCatalogue<typeof definitions> = defineErrors('AUTH', definitions)
