import { get } from 'node:http'
import { connect, type Socket } from 'node:net'

/** A panel, as the balancer sees it. */
export interface Upstream {
  readonly name: string
  readonly host: string
  readonly port: number
}

export interface Upstreams {
  /** How many take requests. */
  readonly alive: number
  /** A connection to one of those that do, in turn; to the next when one does not take it. Rejects when none does. */
  dial(): Promise<Socket>
  stop(): void
}

interface Watched extends Upstream {
  isReady: boolean
}

const path = '/api/health/ready'
const checkEveryMs = 500
const checkTimeoutMs = 2_000
const dialTimeoutMs = 1_000

/** Asks each panel twice a second whether it is ready: one that drains before it stops, or hangs, gets nothing new. */
export function watchUpstreams(upstreams: readonly Upstream[], say: (line: string) => void): Upstreams {
  const watched: Watched[] = upstreams.map((upstream) => ({ ...upstream, isReady: false }))
  let turn = 0
  let stopped = false
  const timers = new Set<NodeJS.Timeout>()

  const note = (upstream: Watched, isReady: boolean): void => {
    if (stopped || upstream.isReady === isReady) return
    upstream.isReady = isReady
    say(`${upstream.name} ${isReady ? 'takes' : 'takes no'} requests`)
  }

  const look = async (upstream: Watched): Promise<void> => {
    note(upstream, await isReady(upstream))
    if (stopped) return
    const timer = setTimeout(() => {
      timers.delete(timer)
      void look(upstream)
    }, checkEveryMs)
    timers.add(timer)
  }
  for (const upstream of watched) void look(upstream)

  return {
    get alive() {
      return watched.filter(({ isReady }) => isReady).length
    },
    async dial() {
      turn += 1
      const inTurn = watched.map((_, index) => watched[(turn + index) % watched.length] as Watched)
      for (const upstream of inTurn.filter(({ isReady }) => isReady)) {
        const socket = await open(upstream)
        if (socket) return socket
        note(upstream, false)
      }
      throw Object.assign(new Error('no panel takes requests'), { code: 'ENOPANEL' })
    },
    stop() {
      stopped = true
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

function isReady({ host, port }: Upstream): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host, port, path, agent: false, timeout: checkTimeoutMs }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
    request.on('close', () => resolve(false))
  })
}

function open({ host, port }: Upstream): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, noDelay: true })
    const giveUp = (): void => {
      socket.destroy()
      resolve(undefined)
    }
    const timer = setTimeout(giveUp, dialTimeoutMs)
    socket.once('error', giveUp)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', giveUp)
      resolve(socket)
    })
    socket.once('close', () => clearTimeout(timer))
  })
}
