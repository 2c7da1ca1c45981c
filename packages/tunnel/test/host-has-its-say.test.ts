import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { type ConnectionAttempt, type ConnectionEnd, type TunnelHooks, verifyWebhook } from '../dist/index.js'
import { tunnelHooksContract } from '../dist/testing/index.js'
import { startAgent } from './support/agent.js'
import { playTcp, startEcho } from './support/local-service.js'
import { admin, startPanel } from './support/panel.js'
import { until } from './support/until.js'

const secret = 'a secret that is long enough'

t.test('hooks and webhooks from enrolment to the last byte', async (t) => {
  const told: { type: string; data: Record<string, unknown> }[] = []
  const receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    if (!verifyWebhook(request.headers, body, secret)) return response.writeHead(401).end()
    told.push(JSON.parse(body.toString()))
    return response.writeHead(204).end()
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  t.teardown(() => receiver.close())

  let closed = false
  const asked: Pick<ConnectionAttempt, 'ownerId' | 'organisationId'>[] = []
  const ends: ConnectionEnd[] = []
  const hooks: TunnelHooks = {
    beforeEnrolment: {
      decide: ({ name, stage, ownerId }) =>
        name.startsWith('bad') || (stage === 'approve' && ownerId === 'mallory')
          ? { allow: false, reason: `no ${stage} today` }
          : { allow: true },
    },
    beforeAllocation: {
      decide: ({ localPort }) => (localPort === 22 ? { allow: false, reason: 'not that port' } : { allow: true }),
    },
    beforeConnection: {
      decide({ ownerId, organisationId }) {
        asked.push({ ownerId, organisationId })
        return { allow: !closed }
      },
    },
    afterConnection: (batch) => void ends.push(...batch),
  }
  const events = ['device.*', 'allocation.*', 'connection.ended']
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`
  const panel = await startPanel({ config: { hooks, webhooks: [{ url, secret, events }] } })
  t.teardown(() => panel.stop())
  const echo = await startEcho()
  t.teardown(() => echo.close())
  const alice = { id: 'alice' }

  const bad = await panel.call('POST', '/api/tunnel/device/start', { as: alice, json: { name: 'bad box' } })
  t.match(bad, { status: 403, body: { error: 'enrolment_refused', detail: /no start today/ } })
  await t.rejects(panel.enrol({ id: 'mallory' }), /no approve today/)
  const device = await panel.enrol(alice)
  const agent = startAgent(panel.url, device.token)
  t.teardown(() => agent.stop())
  const refused = await panel.call('POST', '/api/tunnel/allocations', {
    token: device.token,
    json: { protocol: 'tcp', localPort: 22 },
  })
  t.match(refused, { status: 403, body: { error: 'allocation_refused', detail: /not that port/ } })
  const { id, port } = await panel.allocate(device, { protocol: 'tcp', localPort: echo.port })
  await agent.ready()

  t.equal(await playTcp(port, 'hello'), 'hello')
  await until('the host hears of the first', () => ends.length === 1)
  closed = true
  t.equal(await playTcp(port, 'hello').catch(() => ''), '')
  await until('the host hears of both', () => ends.length === 2)
  const owner = { ownerId: 'alice', organisationId: null }
  t.same(asked, [owner, owner])
  t.match(ends, [
    { allocationId: id, deviceId: device.id, ...owner, port, bytesIn: 5, bytesOut: 5, reason: 'end' },
    { allocationId: id, deviceId: device.id, ...owner, durationMs: 0, reason: 'denied' },
  ])
  await panel.call('DELETE', `/api/tunnel/devices/${device.id}`, { as: admin })
  const expected = ['device.enrolment_started', 'device.approved', 'allocation.created', 'device.deleted']
  await until('all is told', () => expected.every((one) => told.some(({ type }) => type === one)))
  await until('ends are told', () => told.filter(({ type }) => type === 'connection.ended').length === 2)
  t.notMatch(JSON.stringify(told), new RegExp([device.token, device.userCode, device.deviceCode, secret].join('|')))
})

t.test('the contract suite takes hooks that are right and finds those that are not', async (t) => {
  const attempt = { deviceId: 'd', ownerId: null, organisationId: null, protocol: 'tcp', localHost: 'h', localPort: 1 }
  const run = async (hooks: TunnelHooks): Promise<number> => {
    let failed = 0
    const bodies: (() => Promise<void>)[] = []
    tunnelHooksContract({ test: (_, body) => bodies.push(body) }, async () => ({
      hooks,
      attempts: { beforeAllocation: { allowed: attempt as never, refused: { ...attempt, localPort: 22 } as never } },
      ends: [],
    }))
    for (const body of bodies) await body().catch(() => (failed += 1))
    return failed
  }
  const right = { decide: ({ localPort }: { localPort: number }) => ({ allow: localPort !== 22 }) }
  t.equal(await run({ beforeAllocation: right as never, afterConnection: () => undefined }), 0)
  t.equal(await run({ beforeAllocation: { decide: () => ({ allow: true }) } }), 1)
})
