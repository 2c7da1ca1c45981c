import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { coreErrors } from '../errors.js'

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use',
  EACCES: 'there is no permission to use the port',
  EADDRNOTAVAIL: 'the address is not one of this machine',
  EAFNOSUPPORT: 'the address family is not available on this machine',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up',
  ERR_SOCKET_BAD_PORT: 'the port is not between 0 and 65535',
}

/**
 * Connections that may wait to be accepted, as far as the system allows (Linux: `net.core.somaxconn`). Node's own 511 overflow when
 * thousands of agents come back at once, and whoever is dropped then waits for seconds.
 */
const backlog = 8_192

/** Makes a server listen. Throws `CORE_ERR_LISTEN_FAILED` with why not; the server may then be tried again. */
export function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      server.off('listening', succeed)
      const reason = reasons[error.code ?? ''] ?? error.message
      reject(coreErrors.LISTEN_FAILED({ host, port, reason }, { cause: error }))
    }
    const succeed = (): void => {
      server.off('error', fail)
      resolve(server.address() as AddressInfo)
    }
    server.once('error', fail)
    server.once('listening', succeed)
    try {
      server.listen({ host, port, backlog })
    } catch (error) {
      server.off('error', fail)
      fail(error as NodeJS.ErrnoException)
    }
  })
}
