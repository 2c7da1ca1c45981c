import t from 'tap'
import { memoryStorage, RelayError } from '../../dist/index.js'
import { allocation, doorOf, errorLog, startAgent, startEcho, startPlayer, startRelay, until } from '../support.js'

t.test('a storage that fails is named and does not stop the relay', async (t) => {
  const storage = { ...memoryStorage(), save: async () => Promise.reject(new Error('disk full')) }
  const { errors, logger } = errorLog()
  const relay = await startRelay(t, { storage, logger })
  await t.rejects(relay.apply({ revision: 1, allocations: [allocation(1, 9)] }), { code: 'RELAY_ERR_STORAGE_WRITE' })
  t.equal(relay.status().allocations[0]?.status, 'listening')
  t.ok(errors.length > 0)
})

t.test('a stored state that is lost is said, and no ticket of before counts', async (t) => {
  const ticketKey = Buffer.alloc(32, 1)
  const first = await startRelay(t, { ticketKey })
  const ticket = first.issueTicket('d')
  const { errors, logger } = errorLog()
  const load = async () => {
    throw new RelayError('RELAY_ERR_STORAGE_CORRUPT')
  }
  const relay = await startRelay(t, { ticketKey, logger, storage: { ...memoryStorage(), load } })
  t.equal(errors.length, 1)
  const agent = await startAgent(t, relay, {}, 'e')
  const refused = new Promise((resolve) => agent.on('link', ({ error }) => resolve(error)))
  agent.disconnect(relay.id)
  agent.connect({ ...doorOf(relay), id: 'again', ticket })
  t.match(await refused, /ticket_revoked|closed/)
  await until(() => !agent.links().some(({ connected }) => connected))
})

t.test('the state of another relay is not served, nor does its key or what it has spent count', async (t) => {
  const storage = memoryStorage()
  const first = await startRelay(t, { id: 'before', storage })
  await first.apply({ revision: 7, allocations: [allocation(1, 9)] })
  first.setAdmission({ decide: () => true, otherwise: 'deny' })
  const key = Buffer.from(first.ticketKey)
  await first.stop()
  const { errors, logger } = errorLog()
  const second = await startRelay(t, { id: 'after', storage, logger })
  t.match(errors, [{ error: /'before'/ }])
  t.match(second.status(), { revision: 0, allocations: [] })
  t.notOk(key.equals(second.ticketKey))
  await second.apply({ revision: 1, allocations: [allocation(2, 9)] })
  await second.stop()
  const again = await startRelay(t, { id: 'after', storage, logger })
  t.match(again.status(), { revision: 1, allocations: [{ allocationId: 2 }] })
  t.equal(errors.length, 1)
})

t.test('totals stay while it is stopped and go on when it is started again', async (t) => {
  const { port: target } = await startEcho(t)
  const relay = await startRelay(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, target), allocation(2, target)] })
  await startAgent(t, relay)
  await startPlayer(t, relay, 1)
  await relay.stop()
  const carried = { bytesIn: 1, bytesOut: 1, connections: 1, open: 0 }
  t.match(relay.traffic(), [{ allocationId: 1, ...carried }, { allocationId: 2 }])
  await relay.start()
  await startAgent(t, relay)
  await startPlayer(t, relay, 1)
  t.match(relay.traffic(), [{ allocationId: 1, bytesIn: 2, bytesOut: 2, connections: 2, open: 1 }, { allocationId: 2 }])
  await relay.change({ revision: 2, upsert: [], remove: [1] })
  t.match(relay.traffic(), [{ allocationId: 2 }])
})
