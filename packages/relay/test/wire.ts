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
  /** Passes nothing more of those there are, not even an end, and tells nobody. Takes no new ones. */
  freeze(): void
  /** Takes new ones. */
  thaw(): void
}

/** Something between agent and relay that can cut what passes, or stop passing it. */
export async function startWire(t: Teardown, relay: Relay): Promise<Wire> {
  const pairs = new Set<[Socket, Socket]>()
  let total = 0
  let frozen = false
  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (frozen) {
      near.destroy()
      return
    }
    const far = connect({ port: relay.dataPort, host: '127.0.0.1', allowHalfOpen: true })
    const pair: [Socket, Socket] = [near, far]
    pairs.add(pair)
    total += 1
    for (const socket of pair) {
      socket.on('error', () => {})
      socket.on('close', () => {
        if (frozen) return
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
    frozen = true
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
    thaw: () => {
      frozen = false
    },
  }
}
