// Another network, another address: what stood on the old one is dead, and nobody says so.
import t from 'tap'
import { until } from '../support.js'
import { networkNamespace, withoutNetworkNamespaces } from './namespace.js'
import { joinTcp, joinUdp, startWorld } from './world.js'

const BACK_WITHIN_MS = 12_000

t.test('an agent whose address changes', { skip: withoutNetworkNamespaces() }, async (t) => {
  const network = networkNamespace(t)
  const host = network.address
  const world = await startWorld(t, { host, prefix: network.prefix })
  const { relay, agent } = world
  const addressOfAgent = () => relay.devices()[0]?.remoteAddress
  const udp = joinUdp(t, world, host)
  const flow = await udp.echo('before')

  for (const round of ['once', 'again']) {
    const before = addressOfAgent()
    network.renumber()
    const isBack = () => world.isUp() && addressOfAgent() !== before
    t.comment(`${round}: back after ${await until(isBack, 'the agent is back', BACK_WITHIN_MS)} ms`)
    t.equal(await udp.echo(round), flow, 'a UDP player goes on in the same flow')
    const late = await joinTcp(t, world, host)
    late.say('new')
    await until(() => late.heard() === 'new', 'a new TCP player')
  }
  t.equal(agent.exitCode, null, 'it runs on')
})
