import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

interface Teardown {
  teardown(handler: () => unknown): void
}

/** The network between agent and relay: TCP and UDP on one port, each lost as a network loses them. */
export interface LinkProxy {
  port: number
  /** Ends every connection at both ends, as a router that starts anew. */
  cut(): void
  /** From now on nothing comes through, and nobody is told. */
  swallow(): void
  /** What comes new is let through again; what was swallowed stays lost. */
  restore(): void
}

interface LinkProxyOptions {
  /** False: a network that blocks UDP. */
  datagrams?: boolean
  /** Sees what passes. */
  onBytes?: (bytes: Buffer) => void
  onDatagram?: (payload: Buffer, agentPort: number) => void
}

export async function startLinkProxy(
  t: Teardown,
  relayPort: number,
  options: LinkProxyOptions = {},
): Promise<LinkProxy> {
  const pairs = new Set<[Socket, Socket]>()
  const strays = new Set<Socket>()
  const mappings = new Map<number, UdpSocket>()
  let swallowing = false
  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (swallowing) {
      strays.add(near)
      near.on('error', () => {})
      near.on('close', () => strays.delete(near))
      return
    }
    const far = connect({ port: relayPort, host: '127.0.0.1', allowHalfOpen: true })
    const pair: [Socket, Socket] = [near, far]
    pairs.add(pair)
    for (const [from, to] of [pair, [far, near] as const]) {
      from.setNoDelay(true)
      from.on('error', () => to.resetAndDestroy())
      from.on('close', () => {
        if (!from.readableEnded) to.destroy()
        if (near.destroyed && far.destroyed) pairs.delete(pair)
      })
      from.pipe(to)
      if (options.onBytes !== undefined) from.on('data', options.onBytes)
    }
  })
  const { port, datagrams } = await listenBoth(server)
  datagrams.on('message', (payload, from) => {
    if (swallowing || options.datagrams === false) return
    options.onDatagram?.(payload, from.port)
    const known = mappings.get(from.port)
    const mapped = known ?? createSocket('udp4')
    if (known === undefined) {
      mappings.set(from.port, mapped)
      mapped.on('error', () => {})
      mapped.on('message', (answer) => {
        options.onDatagram?.(answer, from.port)
        if (!swallowing) datagrams.send(answer, from.port, from.address)
      })
    }
    mapped.send(payload, relayPort, '127.0.0.1')
  })
  const forgetMappings = () => {
    for (const mapped of mappings.values()) mapped.close()
    mappings.clear()
  }
  const cut = () => {
    for (const socket of [...[...pairs].flat(), ...strays]) socket.destroy()
    pairs.clear()
    forgetMappings()
  }
  t.teardown(async () => {
    cut()
    datagrams.close()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    port,
    cut,
    swallow: () => {
      swallowing = true
      for (const [near, far] of pairs) {
        near.unpipe(far).pause()
        far.unpipe(near).pause()
        near
          .removeAllListeners('close')
          .removeAllListeners('error')
          .on('error', () => {})
        far
          .removeAllListeners('close')
          .removeAllListeners('error')
          .on('error', () => {})
        strays.add(near).add(far)
      }
      pairs.clear()
    },
    restore: () => {
      swallowing = false
      forgetMappings()
    },
  }
}

/** A port that is free for both. */
async function listenBoth(server: ReturnType<typeof createServer>): Promise<{ port: number; datagrams: UdpSocket }> {
  for (;;) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const datagrams = createSocket('udp4')
    datagrams.bind(port, '127.0.0.1')
    const bound = await new Promise((resolve) => {
      datagrams.once('listening', () => resolve(true)).once('error', () => resolve(false))
    })
    if (bound) return { port, datagrams }
    datagrams.close()
    await new Promise((resolve) => server.close(resolve))
  }
}
