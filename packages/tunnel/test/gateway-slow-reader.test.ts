import type { RelayAllocation } from '@sallyport/relay'
import t from 'tap'
import { WebSocket } from 'ws'
import type { RelayArrival } from '../dist/gateway/relay-session.js'
import { hello, openChannel } from './support/channel.js'
import { openDatabase, startGateway } from './support/gateways.js'
import { until } from './support/until.js'

const MIB = 1_048_576
/** What the kernel holds for a socket that is not read, both ends together, and what the gateway does. */
const MAX_TOLD_BYTES = 16 * MIB

const database = await openDatabase()
t.teardown(() => database.close())
const arrivals: RelayArrival[] = []
let reads = 0
let slow = ''
const large = Array.from({ length: 2_000 }, (_, id) => ({
  id,
  protocol: 'tcp' as const,
  host: 'h'.repeat(200),
  port: 1,
  localHost: 'localhost',
  localPort: 1,
  status: 'open' as const,
  relayId: 'r',
}))
const stateBytes = JSON.stringify(large).length
const gateway = await startGateway(database, {
  // Not the heartbeat is to find out.
  heartbeatMs: 60_000,
  relayHost: {
    async arrive(arrival) {
      arrivals.push(arrival)
      return { taken: true }
    },
    leave: () => undefined,
  },
  options: {
    readStates: async (deviceIds) => {
      if (deviceIds.includes(slow)) reads += 1
      const allocations = (id: string) => (id === slow ? large : [])
      return new Map(
        deviceIds.map((id) => [id, { type: 'state', revision: reads, relays: [], allocations: allocations(id) }]),
      ) as never
    },
  },
})
t.teardown(() => gateway.stop())

t.test('an agent that does not read is let go of before much waits for it, and nobody else notices', async (t) => {
  const [deaf, other] = [await database.device(), await database.device()]
  slow = deaf.id
  const channel = await openChannel(gateway, deaf.token)
  const lively = await openChannel(gateway, other.token)
  channel.socket.pause()
  let pushes = 0
  const gone = async () => {
    const before = reads
    pushes += 1
    gateway.gateway.pushState(deaf.id)
    gateway.gateway.pushState(other.id)
    await lively.message('state', pushes)
    return reads === before
  }
  await until('it is let go of', gone)
  t.ok(reads * stateBytes > 2 * MIB, 'not at the first that it leaves unread')
  t.ok(reads * stateBytes < MAX_TOLD_BYTES, `${reads} states of ${stateBytes} bytes were sent`)
  channel.socket.resume()
  t.equal(await channel.closed, 1006)
  t.ok(lively.isOpen)
  lively.socket.close()
})

t.test(
  'of a large state to a relay that does not read one part waits at a time, and in the end all have come',
  async (t) => {
    const { token } = await database.device('server')
    const channel = await openChannel(gateway, token, false)
    const relay = {
      publicHost: 'relay.example.com',
      dataPort: 1,
      ticketKey: Buffer.alloc(32, 7).toString('base64url'),
      epoch: 'e',
      revision: 1,
      time: Date.now(),
    }
    channel.send({ ...hello, relay })
    await channel.message('welcome')
    const [arrival] = arrivals
    if (arrival === undefined) throw new Error('no relay has come')
    const deny = Array.from({ length: 256 }, (_, n) => `2001:db8:ffff:ffff:${n}::/80`)
    const allocations = Array.from({ length: 6_000 }, (_, id): RelayAllocation => {
      const target = { host: '127.0.0.1', port: 1 }
      return { id: id + 1, deviceId: 'd', protocol: 'tcp', port: 1_024 + id, target, options: { deny } }
    })

    let sent = 0
    let mostWaiting = 0
    let lastSent = performance.now()
    const { send } = WebSocket.prototype
    t.teardown(() => {
      WebSocket.prototype.send = send
    })
    // The gateway's sockets are this process's, too.
    WebSocket.prototype.send = function (this: WebSocket, ...given: Parameters<typeof send>) {
      mostWaiting = Math.max(mostWaiting, this.bufferedAmount)
      sent += 1
      lastSent = performance.now()
      send.apply(this, given)
    } as typeof send
    channel.socket.pause()
    const applied = arrival.remote.apply({ revision: 2, allocations })
    await until('nothing more is sent', () => sent > 0 && performance.now() - lastSent > 500)
    const sentUnread = sent
    channel.socket.resume()
    const { parts } = await channel.message('relay_state')
    t.ok(sentUnread < parts, `${sentUnread} of ${parts} parts were sent before it read`)
    t.equal(mostWaiting, 0, 'nothing waited when the next was sent')
    await until('all parts', () => channel.messages.filter(({ type }) => type === 'relay_state').length === parts)
    const counts = { devices: 0, connections: 0, draining: false }
    channel.send({ type: 'relay_status', revision: 2, allocations: [], ...counts, time: Date.now() })
    await applied
    channel.socket.close()
  },
)
