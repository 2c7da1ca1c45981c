import { connect, type Socket } from 'node:net'
import { startService } from '../support.js'

interface Teardown {
  teardown(handler: () => unknown): void
}

/** Where targets' sockets find their players. */
export interface Meeting {
  allocationId: number
  targetPort: number
  proxyProtocol: 'none' | 'v1'
  /** The target's socket for the player from this address, nothing read of it but what the relay put in front. */
  expect(remoteAddress: string): Promise<Socket>
  /** Nobody comes any more. */
  forget(remoteAddress: string): void
}

/** The relay tells which player it is; so any number may meet at once, and one may break off before it has met. */
export async function meetByHeader(t: Teardown, allocationId: number): Promise<Meeting> {
  const expected = new Map<string, (socket: Socket) => void>()
  const { port } = await startService(t, (socket) => {
    let head = Buffer.alloc(0)
    const take = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n')
      if (end < 0) return
      socket.off('data', take).pause()
      const [, , remoteAddress = ''] = head.toString('latin1', 0, end).split(' ')
      socket.unshift(head.subarray(end + 2))
      const come = expected.get(remoteAddress)
      if (come === undefined) socket.destroy()
      else come(socket)
    }
    socket.on('data', take)
    // The player left before it was named.
    socket.on('end', () => head.length === 0 && socket.destroy())
  })
  return {
    allocationId,
    targetPort: port,
    proxyProtocol: 'v1',
    expect: (remoteAddress) => new Promise((resolve) => expected.set(remoteAddress, resolve)),
    forget: (remoteAddress) => expected.delete(remoteAddress),
  }
}

/** For one flow at a time: whoever comes is its target. */
export async function meetAlone(t: Teardown, allocationId: number): Promise<Meeting> {
  let come: ((socket: Socket) => void) | undefined
  const { port } = await startService(t, (socket) => {
    socket.pause()
    if (come === undefined) socket.destroy()
    else come(socket)
  })
  return {
    allocationId,
    targetPort: port,
    proxyProtocol: 'none',
    expect: () =>
      new Promise((resolve) => {
        come = resolve
      }),
    forget: () => {
      come = undefined
    },
  }
}

/** Another address of this machine for each player, where the system has them all. */
export function addressOfPlayer(index: number): string {
  if (process.platform !== 'linux') return '127.0.0.1'
  return `127.${1 + ((index >> 14) & 127)}.${(index >> 7) & 127}.${1 + (index & 127)}`
}

export function dialFrom(localAddress: string, port: number): Socket {
  return connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true })
}
