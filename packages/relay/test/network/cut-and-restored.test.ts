// A path that loses everything tells nobody: the agent finds out, goes on trying, and players come back with it.
import t from 'tap'
import { until } from '../support.js'
import { networkNamespace, withoutNetworkNamespaces } from './namespace.js'
import { joinTcp, joinUdp, startWorld } from './world.js'

const NOTICED_WITHIN_MS = 10_000
/** A quick try is near; one that began on the dead path takes at most this longer. */
const BACK_WITHIN_MS = 15_000

t.test('a network that is cut, and restored', { skip: withoutNetworkNamespaces() }, async (t) => {
  const network = networkNamespace(t)
  const host = network.address
  const world = await startWorld(t, { host, prefix: network.prefix })
  const { panel, relay, agent } = world
  const tcp = await joinTcp(t, world, host)
  tcp.say('before ')
  await until(() => tcp.heard() === 'before ', 'an echo')
  const udp = joinUdp(t, world, host)
  const flow = await udp.echo('before')

  for (const round of ['once', 'again']) {
    const from = agent.said().length
    const said = () => agent.said().slice(from)
    network.cut()
    tcp.say(`${round} `)
    const noticed = await Promise.all([
      until(() => panel.online() === 0, 'the panel notices', NOTICED_WITHIN_MS),
      until(() => relay.devices().length === 0, 'the relay notices', NOTICED_WITHIN_MS),
      until(() => /connection to .* is lost/.test(said()), 'the agent misses its panel', NOTICED_WITHIN_MS),
      until(() => /link to relay .* is lost/.test(said()), 'the agent misses its relay', NOTICED_WITHIN_MS),
    ])
    t.comment(`${round}: noticed after ${noticed.join(', ')} ms (panel, relay, agent of panel, agent of relay)`)
    network.mend()
    t.comment(`${round}: back after ${await until(world.isUp, 'the agent is back', BACK_WITHIN_MS)} ms`)
    t.equal(await udp.echo(round), flow, 'a UDP player goes on in the same flow')
    const late = await joinTcp(t, world, host)
    late.say('new')
    await until(() => late.heard() === 'new', 'a new TCP player')
    await until(() => tcp.heard().endsWith(`${round} `), 'the TCP player of before hears what it said in between')
    t.ok(tcp.isOpen, 'and was never cut')
  }
  t.equal(tcp.heard(), 'before once again ', 'nothing is lost or said twice')
  t.equal(agent.exitCode, null, 'it runs on')
})
