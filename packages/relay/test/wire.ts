import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Relay } from '../dist/index.js'

interface Teardown {
  teardown(handler: () => unknown): void
}

export interface Wire {
  port: number
  /** Connections that pass over it now. */
  readonly open: number
  /** Ever. */
  readonly total: number
  cut(): void
  /** Passes nothing more, and tells nobody. */
  freeze(): void
}

/** Something between agent and relay that can cut what passes, or stop passing it. */
export async function startWire(t: Teardown, relay: Relay): Promise<Wire> {
  const pairs = new Set<[Socket, Socket]>()
  let total = 0
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: relay.dataPort, host: '127.0.0.1', allowHalfOpen: true })
    const pair: [Socket, Socket] = [near, far]
    pairs.add(pair)
    total += 1
    for (const socket of pair) {
      socket.on('error', () => {})
      socket.on('close', () => {
        pairs.delete(pair)
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(far)
    far.pipe(near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const [near, far] of pairs) {
      near.destroy()
      far.destroy()
    }
  }
  t.teardown(async () => {
    cut()
    await new Promise((resolve) => server.close(resolve))
  })
  const freeze = () => {
    for (const [near, far] of pairs) {
      near.unpipe(far).pause()
      far.unpipe(near).pause()
    }
  }
  return {
    port: (server.address() as AddressInfo).port,
    get open() {
      return pairs.size
    },
    get total() {
      return total
    },
    cut,
    freeze,
  }
}
