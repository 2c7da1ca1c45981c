import t from 'tap'
import { reportPorts } from '../../../dist/cli/relay/port-report.js'
import type { Output } from '../../../dist/cli/terminal/output.js'
import type { Relay, RelayEvents } from '../../../dist/index.js'
import { until } from '../../support.js'

type Condition = RelayEvents['allocation']

interface Said {
  event: string
  message: string
  fields: Record<string, unknown>
}

/** Ports of which the test says how they are. Number 1 is port 20001. */
function ports(failedAtStart: readonly number[] = []) {
  const said: Said[] = []
  const handlers = new Set<(condition: Condition) => void>()
  const on = (_: string, handler: (condition: Condition) => void) => {
    handlers.add(handler)
    return () => handlers.delete(handler)
  }
  const status = () => ({
    allocations: failedAtStart.map((id) => ({
      allocationId: id,
      port: 20_000 + id,
      status: 'failed',
      error: 'EACCES',
    })),
  })
  const event = (event: string, message: string, fields = {}) => said.push({ event, message, fields })
  const end = reportPorts({ on, status } as unknown as Relay, { event } as unknown as Output)
  const become = (status: Condition['status'], ids: readonly number[], error?: string) => {
    for (const id of ids) {
      const condition = { allocationId: id, port: 20_000 + id, status, ...(error === undefined ? {} : { error }) }
      for (const handler of handlers) handler(condition)
    }
  }
  return { said, become, end, handlers }
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

t.test('a few are named each, with their ports', async (t) => {
  const { said, become, end, handlers } = ports()
  become('failed', [1, 2], 'EADDRINUSE')
  become('failed', [3], 'EACCES')
  become('listening', [4])
  await until(() => said.length > 0, 'the lines')
  t.same(
    said.map(({ message }) => message),
    [
      'port 20001 (allocation 1) cannot be bound: EADDRINUSE; trying on',
      'port 20002 (allocation 2) cannot be bound: EADDRINUSE; trying on',
      'port 20003 (allocation 3) cannot be bound: EACCES; trying on',
    ],
  )
  t.same(said[0]?.fields, { allocationId: 1, port: 20_001, error: 'EADDRINUSE' })
  become('failed', [1], 'EADDRINUSE')
  become('starting', [2])
  become('listening', [2])
  become('removed', [3])
  end()
  t.same(
    said.slice(3).map(({ event, message }) => [event, message]),
    [
      ['allocation_recovered', 'port 20002 (allocation 2) is bound now'],
      ['allocation_recovered', 'port 20003 (allocation 3) is removed'],
    ],
    'and what has not changed is not said again',
  )
  t.equal(handlers.size, 0)
})

t.test('thousands at once are a line for each reason, and one when they are well again', async (t) => {
  const { said, become, end } = ports()
  become('failed', upTo(10_000), 'EMFILE')
  become('failed', upTo(5), 'EACCES')
  await until(() => said.length > 0, 'the lines')
  t.equal(said.length, 6)
  t.same(
    said.find(({ event }) => event === 'allocations_failed'),
    {
      event: 'allocations_failed',
      message: '9995 ports, 20006 (allocation 6) among them, cannot be bound: EMFILE; trying on',
      fields: { allocationId: 6, port: 20_006, allocations: 9_995, error: 'EMFILE' },
    },
  )
  become('listening', upTo(10_000))
  end()
  t.same(
    said.slice(6).map(({ event, message }) => [event, message]),
    [['allocations_recovered', '10000 ports, 20001 (allocation 1) among them, are bound now']],
  )
})

t.test('what had failed before anybody listened is said, and when it is well again', async (t) => {
  const { said, become, end } = ports([7])
  await until(() => said.length > 0, 'the line')
  t.match(said, [{ event: 'allocation_failed', fields: { port: 20_007, error: 'EACCES' } }])
  become('listening', [7])
  end()
  t.match(said[1], { event: 'allocation_recovered', fields: { port: 20_007 } })
})

t.test('what passes within a moment is not said', async (t) => {
  const { said, become, end } = ports()
  become('failed', [1], 'EADDRINUSE')
  become('listening', [1])
  end()
  t.same(said, [])
})
