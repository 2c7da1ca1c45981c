import t from 'tap'
import { type AgentEvents, createAgent, createTicketIssuer, memoryStorage, type Relay } from '../../dist/index.js'
import { freePort } from '../free-port.js'
import { allocation, DEVICE, doorOf, ending, readBytes, startEcho, startPlayer, startRelay, until } from '../support.js'

type Test = Pick<typeof t, 'teardown'>

const OTHER = 'device-2'

function issue(relay: Relay, grant: string, device = DEVICE): string {
  return createTicketIssuer(relay.id, relay.ticketKey).issue(device, { grant })
}

/** An agent with a ticket of this grant, and the errors that relays refused it with. */
function startAgentWith(t: Test, relay: Relay, ticket: string) {
  const agent = createAgent({ limits: { retryMinMs: 1, retryMaxMs: 5 } })
  t.teardown(() => agent.stop())
  const refused: AgentEvents['link'][] = []
  agent.on('link', (event) => event.error?.startsWith('ticket_') && refused.push(event))
  agent.connect({ ...doorOf(relay), ticket })
  return { agent, refused }
}

const hasLink = (relay: Relay, device = DEVICE) => relay.devices().some(({ deviceId }) => deviceId === device)

t.test('another grant cuts link and players, ends old tickets, and leaves other devices alone', async (t) => {
  const { port: target } = await startEcho(t)
  const relay = await startRelay(t)
  const mine = (grant: string) => [allocation(1, target, { grant }), allocation(2, target, { grant })]
  const theirs = allocation(3, target, { deviceId: OTHER, grant: 'their' })
  await relay.apply({ revision: 1, allocations: [...mine('old'), theirs] })
  const unused = issue(relay, 'old')
  const { refused } = startAgentWith(t, relay, issue(relay, 'old'))
  startAgentWith(t, relay, issue(relay, 'their', OTHER))
  await until(() => hasLink(relay) && hasLink(relay, OTHER))
  const [gone, stays] = [await startPlayer(t, relay, 1), await startPlayer(t, relay, 3)]

  const seen = ending(gone)
  const changed = relay.change({ revision: 2, upsert: mine('new'), remove: [] })
  t.notOk(hasLink(relay), 'at once')
  t.equal(await seen, 'ECONNRESET')
  await changed
  // The agent comes back with what it was given to resume.
  await until(() => refused.length > 0)
  t.match(refused[0], { error: 'ticket_revoked' })
  const late = startAgentWith(t, relay, unused)
  await until(() => late.refused.length > 0)
  t.match(late.refused[0], { error: 'ticket_revoked' })
  stays.write('b')
  t.equal(String(await readBytes(stays, 1)), 'b')
  t.ok(hasLink(relay, OTHER))

  startAgentWith(t, relay, issue(relay, 'new'))
  await until(() => hasLink(relay))
  await startPlayer(t, relay, 1)
})

t.test('a ticket without a grant, or with another, is none for a device that has one', async (t) => {
  const { port: target } = await startEcho(t)
  const relay = await startRelay(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, target, { grant: 'g' })] })
  for (const ticket of [relay.issueTicket(DEVICE), issue(relay, 'h')]) {
    const { refused } = startAgentWith(t, relay, ticket)
    await until(() => refused.length > 0)
    t.match(refused[0], { error: 'ticket_revoked' })
  }
  startAgentWith(t, relay, relay.issueTicket(DEVICE, { grant: 'g' }))
  await until(() => hasLink(relay))
})

t.test('a device without allocations may link, and is held to its grant when it gets some', async (t) => {
  const { port: target } = await startEcho(t)
  const relay = await startRelay(t)
  startAgentWith(t, relay, issue(relay, 'a'))
  await until(() => hasLink(relay))
  await relay.change({ revision: 1, upsert: [allocation(1, target, { grant: 'a' })], remove: [] })
  t.ok(hasLink(relay), 'the same: it stays')
  const present = await startPlayer(t, relay, 1)
  await relay.change({ revision: 2, upsert: [], remove: [1] })
  t.ok(hasLink(relay))
  await ending(present)
  await relay.change({ revision: 3, upsert: [allocation(1, target, { grant: 'b' })], remove: [] })
  t.notOk(hasLink(relay))
})

t.test('a grant that comes to allocations that had none cuts nobody who holds it', async (t) => {
  const { port: target } = await startEcho(t)
  const relay = await startRelay(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, target)] })
  startAgentWith(t, relay, issue(relay, 'a'))
  await until(() => hasLink(relay))
  const present = await startPlayer(t, relay, 1)
  await relay.apply({ revision: 2, allocations: [allocation(1, target, { grant: 'a' })] })
  present.write('b')
  t.equal(String(await readBytes(present, 1)), 'b')
  await relay.apply({ revision: 3, allocations: [allocation(1, target)] })
  present.write('c')
  t.equal(String(await readBytes(present, 1)), 'c', 'lifted: nothing is cut')
})

t.test('while allocations of a device disagree, no grant counts', async (t) => {
  const { port: target } = await startEcho(t)
  const relay = await startRelay(t)
  await relay.apply({
    revision: 1,
    allocations: [allocation(1, target, { grant: 'a' }), allocation(2, target, { grant: 'b' })],
  })
  for (const grant of ['a', 'b']) {
    const { refused } = startAgentWith(t, relay, issue(relay, grant))
    await until(() => refused.length > 0)
    t.match(refused[0], { error: 'ticket_revoked' })
  }
})

t.test('a link is resumed with its grant after a restart of the relay', async (t) => {
  const { port: target } = await startEcho(t)
  const storage = memoryStorage()
  const dataPort = await freePort()
  const first = await startRelay(t, { storage, dataPort })
  await first.apply({ revision: 1, allocations: [allocation(1, target, { grant: 'g' })] })
  const { agent, refused } = startAgentWith(t, first, issue(first, 'g'))
  await until(() => hasLink(first) && agent.links()[0]?.connected)
  await first.stop()
  const second = await startRelay(t, { storage, dataPort })
  await until(() => hasLink(second))
  t.same(refused, [])
  await startPlayer(t, second, 1)
})

t.test("an issuer's clock that is behind does not make its tickets revoked", async (t) => {
  const { port: target } = await startEcho(t)
  const relay = await startRelay(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, target, { grant: 'g' })] })
  const ticket = issue(relay, 'g')
  const without = relay.issueTicket(OTHER)
  relay.disconnectDevice(DEVICE)
  relay.disconnectDevice(OTHER)
  startAgentWith(t, relay, ticket)
  await until(() => hasLink(relay))
  const { refused } = startAgentWith(t, relay, without)
  await until(() => refused.length > 0)
  t.match(refused[0], { error: 'ticket_revoked' })
})
