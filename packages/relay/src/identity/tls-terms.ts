import type { SecureVersion } from 'node:tls'

/** Protocol name of the data port (RFC 7301): a TLS peer that speaks something else is found out before a byte is sent. */
export const DATA_PORT_ALPN: 'sallyport/2' = 'sallyport/2'

/** RFC 8446; nothing on the data port is older than it. */
export const MIN_TLS_VERSION: SecureVersion = 'TLSv1.3'
