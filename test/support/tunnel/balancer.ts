import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** One address in front of several panels. */
export interface Balancer {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string
  /** Connections that stand now, by the port of the panel that has them. */
  standing(port: number): number
}

/**
 * A TCP balancer: new connections go to the panels in turn, and to the next when one refuses.
 * @param inTurn `false`: to the first that does not refuse
 */
export async function startBalancer(t: Test, ports: readonly number[], inTurn = true): Promise<Balancer> {
  const sockets = new Set<Socket>()
  const standing = new Map<number, number>()
  let turn = 0

  const count = (port: number, by: number): void => void standing.set(port, (standing.get(port) ?? 0) + by)

  const tie = (player: Socket, panel: Socket, port: number): void => {
    count(port, 1)
    player.pipe(panel)
    panel.pipe(player)
    player.on('close', () => panel.destroy())
    panel.on('close', () => {
      count(port, -1)
      player.destroy()
    })
  }

  const dial = (player: Socket, from: number, tries: number): void => {
    const port = ports[from % ports.length]
    if (port === undefined || tries === 0 || player.destroyed) return void player.destroy()
    const panel = connect({ host: '127.0.0.1', port, noDelay: true })
    keep(panel)
    const next = (): void => dial(player, from + 1, tries - 1)
    panel.once('error', next)
    panel.once('connect', () => {
      panel.off('error', next)
      tie(player, panel, port)
    })
  }

  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
  }

  const server = createServer({ noDelay: true }, (player) => {
    keep(player)
    if (inTurn) turn += 1
    dial(player, turn, ports.length)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    standing: (port) => standing.get(port) ?? 0,
  }
}
