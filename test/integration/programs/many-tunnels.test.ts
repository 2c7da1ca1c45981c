// Twenty tunnels to twenty services on one agent, by its configuration file, which is followed while it runs.
import t from 'tap'
import { until } from '../../support/deadline.js'
import { askTcp, type LabelledService, labelledService, udpTalker } from '../../support/tunnel/labelled-service.js'
import { startStory } from '../../support/tunnel/story.js'

const count = 20

t.test('twenty tunnels by the configuration file', async (t) => {
  const outer = t
  const story = await startStory(t)
  await story.admin.ok('PATCH', '/api/settings', { quotas: { allocationsPerUser: 100 } })
  const services: LabelledService[] = []
  for (let index = 0; index < count; index += 1) services.push(await labelledService(t, `service ${index}`))
  const protocolOf = (index: number) => (index % 3 === 0 ? 'udp' : index % 3 === 1 ? 'tcp' : 'both')
  const entries = services.map(({ port }, index) => ({ localPort: port, protocol: protocolOf(index) }))
  await story.configure({ tunnels: entries })
  const wanted = entries.reduce((sum, { protocol }) => sum + (protocol === 'both' ? 2 : 1), 0)
  let agent = await story.run()

  const play = async (service: LabelledService, protocol: 'tcp' | 'udp'): Promise<void> => {
    const { port } = await story.tunnel(service.port, protocol)
    if (protocol === 'udp') outer.equal(await (await udpTalker(t, port)).ask('hello'), `${service.label}:hello`)
    else outer.equal(await until('a player', () => askTcp(t, port, 'hello')), `${service.label}:hello`)
  }

  await t.test('each leads to its own service', async (t) => {
    await until('all are made', async () => (await story.tunnels()).length === wanted)
    for (const [index, service] of services.entries()) {
      const protocol = protocolOf(index)
      if (protocol !== 'udp') await play(service, 'tcp')
      if (protocol !== 'tcp') await play(service, 'udp')
    }
    const both = services[2] as LabelledService
    t.equal((await story.tunnel(both.port, 'tcp')).port, (await story.tunnel(both.port, 'udp')).port, 'one number')
  })

  await t.test('one more in the file is one more tunnel, without a restart', async (t) => {
    const more = await labelledService(t, 'more')
    await story.configure({ tunnels: [...entries, { localPort: more.port }] })
    await play(more, 'tcp')
    t.equal((await story.tunnels()).length, wanted + 1)
    await story.configure({ tunnels: entries })
  })

  await t.test('a file that is broken changes nothing and is said', async () => {
    await story.configure({ tunnels: 'all of them' })
    await until('it is said', () => /tunnels/.test(agent.stderr + agent.stdout))
    await play(services[1] as LabelledService, 'tcp')
    await story.configure({ tunnels: entries })
  })

  await t.test('rules in the file are in force at once', async (t) => {
    const first = services[1] as LabelledService
    const { port } = await story.tunnel(first.port)
    await story.configure({ allow: [`127.0.0.1:${(services[4] as LabelledService).port}`] })
    await until('it is refused', () =>
      askTcp(t, port, 'may I?').then(
        () => false,
        () => true,
      ),
    )
    await play(services[4] as LabelledService, 'tcp')
    await story.configure({ allow: ['127.0.0.1:1-65535'] })
    await until('it is let in', async () => (await askTcp(t, port, 'may I?')) === `${first.label}:may I?`)
  })

  await t.test('after a restart of the agent there are no more and no fewer', async (t) => {
    const ids = async () => (await story.tunnels()).map(({ id }) => id).sort()
    const before = await ids()
    t.equal(before.length, wanted + 1, 'what left the file is there until it is removed on purpose')
    t.match(await agent.stop(), { code: 0 })
    agent = await story.run()
    await play(services[19] as LabelledService, 'tcp')
    t.same(await ids(), before)
  })

  t.match(await agent.stop(), { code: 0 })
})
