import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { mock } from 'node:test'
import t from 'tap'
import { createAgent } from '../../dist/index.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))

t.test('who has long tried in vain tries at once when he hears of the relay again', async (t) => {
  let dialled = 0
  const relay = createServer((socket) => {
    dialled += 1
    socket.on('error', () => {})
    socket.destroy()
  }).listen(0, '127.0.0.1')
  await once(relay, 'listening')
  t.teardown(() => relay.close())
  const { port } = relay.address() as AddressInfo
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const agent = createAgent()
  t.teardown(() => agent.stop())
  const address = { id: 'relay', host: '127.0.0.1', port, encryption: 'off' as const }
  agent.connect({ ...address, ticket: 'first' })
  while (dialled < 12) {
    mock.timers.tick(30_000)
    await turn()
  }
  // The last try has failed, and the next is far.
  for (let turns = 0; turns < 100; turns += 1) await turn()
  const before = dialled
  for (let ms = 0; ms < 600 && dialled === before; ms += 1) {
    // Again and again, as a panel does when much changes.
    if (ms % 50 === 0) agent.connect({ ...address, ticket: `ticket ${ms}` })
    mock.timers.tick(1)
    await turn()
  }
  for (let turns = 0; turns < 100 && dialled === before; turns += 1) await turn()
  t.equal(dialled, before + 1)
})
