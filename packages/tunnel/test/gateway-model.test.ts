import fc from 'fast-check'
import t from 'tap'
import { type Channel, hello, openChannel } from './support/channel.js'
import { createBus, openDatabase, startGateway, type TestGateway } from './support/gateways.js'
import { until } from './support/until.js'

/**
 * Two gateways on one database, devices that come, say hello, go and are revoked in any order, events that are lost: in the end the
 * newest welcomed channel of each device is the one that stands, and none with a dead token.
 */
const deviceCount = 3

type Step =
  | { readonly kind: 'connect'; readonly device: number; readonly at: number; readonly greet: boolean }
  | { readonly kind: 'hello'; readonly which: number }
  | { readonly kind: 'close'; readonly which: number }
  | { readonly kind: 'terminate'; readonly which: number }
  | { readonly kind: 'revoke'; readonly device: number; readonly at: number }
  | { readonly kind: 'push'; readonly device: number; readonly at: number }
  | { readonly kind: 'lose'; readonly losing: boolean }
  | { readonly kind: 'look'; readonly at: number }
  | { readonly kind: 'settle' }

const device = fc.nat(deviceCount - 1)
const at = fc.nat(1)
const which = fc.nat(100)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('connect' as const), device, at, greet: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('hello' as const, 'close', 'terminate'),
      which,
    }) as fc.Arbitrary<Step>,
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('revoke' as const, 'push'), device, at }) as fc.Arbitrary<Step>,
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), losing: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('look' as const), at }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'settle' as const }) },
)

interface Opened {
  readonly channel: Channel
  readonly deviceId: string
  readonly token: string
  readonly gateway: TestGateway
}

const database = await openDatabase()
t.teardown(() => database.close())

t.test('the newest of a device wins, whatever happens in whatever order', async (t) => {
  const bus = createBus()
  const gateways = [
    await startGateway(database, { events: bus.instance() }),
    await startGateway(database, { events: bus.instance() }),
  ] as const
  t.teardown(() => Promise.all(gateways.map((one) => one.stop())))

  const quiet = async (): Promise<void> => {
    bus.losing = false
    for (const { gateway } of gateways) await gateway.refresh()
  }

  const run = async (steps: readonly Step[]): Promise<void> => {
    const devices = await Promise.all(Array.from({ length: deviceCount }, () => database.device()))
    const tokens = devices.map(({ token }) => token)
    const opened: Opened[] = []
    const connecting: Promise<unknown>[] = []
    const pick = (n: number): Channel | undefined => opened[n % Math.max(opened.length, 1)]?.channel

    for (const one of steps) {
      if (one.kind === 'connect') {
        const [gateway, token] = [gateways[one.at] as TestGateway, tokens[one.device] as string]
        const deviceId = devices[one.device]?.id as string
        const connected = openChannel(gateway, token, false).then((channel) => {
          opened.push({ channel, deviceId, token, gateway })
          if (one.greet) channel.send(hello)
        })
        connecting.push(connected)
      } else if (one.kind === 'revoke') {
        const id = devices[one.device]?.id as string
        tokens[one.device] = await database.regenerate(id)
        for (const { gateway } of bus.losing ? [gateways[one.at] as TestGateway] : gateways) gateway.revoke(id)
      } else if (one.kind === 'push') gateways[one.at]?.gateway.pushState(devices[one.device]?.id as string)
      else if (one.kind === 'look') await gateways[one.at]?.gateway.refresh()
      else if (one.kind === 'lose') bus.losing = one.losing
      else if (one.kind === 'settle') await Promise.all(connecting)
      else if (one.kind === 'hello') {
        const channel = pick(one.which)
        if (channel?.isOpen) channel.send(hello)
      } else if (one.kind === 'close') pick(one.which)?.socket.close()
      else pick(one.which)?.socket.terminate()
    }
    await Promise.all(connecting)

    for (const { id } of devices) {
      await until('it comes to rest', async () => {
        await quiet()
        const standing = opened.filter(
          ({ deviceId, channel }) => deviceId === id && channel.isOpen && channel.messages.length > 0,
        )
        const [row] = await database.sql<{ instance_id: string | null; token_id: string }>(
          'SELECT instance_id, token_id FROM tunnel_devices WHERE id = $1::uuid',
          [id],
        )
        if (standing.length > 1) return false
        const here = gateways.filter(({ gateway }) => gateway.isOnline(id))
        const [only] = standing
        if (!only) return here.length === 0 && row?.instance_id === null
        const inForce = only.token.endsWith(row?.token_id ?? '')
        return inForce && here.length === 1 && here[0] === only.gateway && row?.instance_id === only.gateway.instanceId
      })
    }
    for (const { channel } of opened) channel.socket.terminate()
  }

  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 25 }), run), {
    numRuns: 60,
    endOnFailure: true,
  })
  const faults = gateways.flatMap(({ log }) => log.lines.filter(({ level }) => level >= 50))
  t.same(faults, [])
})
