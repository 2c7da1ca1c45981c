// Who may call what of section 6: each route for each kind of caller, on a device of somebody's own and on an organisation's.
import t from 'tap'
import { until } from '../../support/deadline.js'
import { operations } from '../../support/openapi.js'
import type { Carried, Reply } from '../../support/raw-client.js'
import { type SignInPanel, startSignInPanel } from '../../support/sign-in-panel.js'
import { refusal } from '../../support/tunnel/channel.js'
import { newAllocation, newDevice, setQuotas, type TestDevice } from '../../support/tunnel/devices.js'
import { openEventStream } from '../../support/tunnel/event-stream.js'
import { somePorts } from '../../support/tunnel/fleet.js'
import { type Cast, callers, castOf, type Target } from '../../support/tunnel/permission-cast.js'

const ports = somePorts(1_000)
let panel: SignInPanel
let cast: Cast

t.before(async () => {
  panel = await startSignInPanel(t, { RELAY_EMBEDDED: 'true', RELAY_PORT_RANGE: `${ports.from}-${ports.to}` })
  await setQuotas(panel, { allocationsPerUser: 1_000, allocationsPerOrganisation: 1_000 })
  cast = await castOf(panel)
})

/** What a route is called with. */
interface Subject {
  readonly device: TestDevice
  readonly allocationId: number
}

interface Row {
  readonly method: string
  /** As in the panel's own document. */
  readonly path: string
  readonly body?: (subject: Subject) => object
  readonly query?: string
  /** Calls with effects that spoil what they are called with get something new each time. */
  readonly consumes?: boolean
  /**
   * For a device of the owner's, then for one of the organisation, in the order of `callers`. A list says with + or - whether
   * the device or allocation is in it.
   */
  readonly own: string
  readonly organisation: string
}

const rows: readonly Row[] = [
  //                                      nobody owner strng orgO orgA orgM admin dev other none read write admKey
  {
    method: 'GET',
    path: '/api/tunnel/devices',
    own: /*        */ '401 200+ 200- 200- 200- 200- 200+ 403  403  403  200+ 403  200+',
    organisation: /**/ '401 200- 200- 200+ 200+ 200- 200+ 403  403  403  200+ 403  200+',
  },
  {
    method: 'GET',
    path: '/api/tunnel/events',
    own: /*        */ '401 200+ 200- 200- 200- 200- 200+ 403  403  403  200+ 403  200+',
    organisation: /**/ '401 200- 200- 200+ 200+ 200- 200+ 403  403  403  200+ 403  200+',
  },
  {
    method: 'PATCH',
    path: '/api/tunnel/devices/{id}',
    body: () => ({ name: 'another name' }),
    own: /*        */ '401 200  404  404  404  404  200  403  403  403  403  200  200 ',
    organisation: /**/ '401 404  404  200  200  404  200  403  403  403  403  200  200 ',
  },
  ...['/api/tunnel/devices/{id}/delete', '/api/tunnel/devices/{id}'].map((path) => ({
    method: 'DELETE',
    path,
    consumes: true,
    own: /*        */ '401 200  404  404  404  404  200  403  403  403  403  200  200 ',
    organisation: /**/ '401 404  404  200  200  404  200  403  403  403  403  200  200 ',
  })),
  {
    method: 'POST',
    path: '/api/tunnel/devices/{id}/regenerate-token',
    consumes: true,
    own: /*        */ '401 200  404  404  404  404  200  403  403  403  403  200  200 ',
    organisation: /**/ '401 404  404  200  200  404  200  403  403  403  403  200  200 ',
  },
  {
    method: 'GET',
    path: '/api/tunnel/allocations',
    own: /*        */ '401 200+ 200- 200- 200- 200- 200+ 200+ 200- 403  200+ 403  200+',
    organisation: /**/ '401 200- 200- 200+ 200+ 200- 200+ 200+ 200- 403  200+ 403  200+',
  },
  {
    method: 'POST',
    path: '/api/tunnel/allocations',
    body: ({ device }) => ({ deviceId: device.id, localPort: 7, protocol: 'tcp' }),
    own: /*        */ '401 201  404  404  404  404  201  201  404  403  403  201  201 ',
    organisation: /**/ '401 404  404  201  201  404  201  201  404  403  403  201  201 ',
  },
  ...(
    [
      ['PATCH', '', () => ({ localPort: 8 })],
      ['POST', '/close', undefined],
      ['POST', '/open', undefined],
      ['DELETE', '', undefined],
    ] as const
  ).map(([method, verb, body]) => ({
    method,
    path: `/api/tunnel/allocations/{id}${verb}`,
    consumes: method === 'DELETE',
    ...(body && { body }),
    own: /*        */ '401 200  404  404  404  404  200  200  404  403  403  200  200 ',
    organisation: /**/ '401 404  404  200  200  404  200  200  404  403  403  200  200 ',
  })),
  {
    method: 'GET',
    path: '/api/tunnel/allocations/{id}/traffic',
    own: /*        */ '401 200  404  404  404  404  200  200  404  403  200  403  200 ',
    organisation: /**/ '401 404  404  200  200  404  200  200  404  403  200  403  200 ',
  },
  {
    method: 'GET',
    path: '/api/tunnel/relays',
    own: /*        */ '401 200  200  200  200  200  200  200  200  403  200  403  200 ',
    organisation: /**/ '401 200  200  200  200  200  200  200  200  403  200  403  200 ',
  },
  {
    method: 'POST',
    path: '/api/tunnel/device/start',
    body: () => ({ name: 'x' }),
    own: /*        */ '200 200  200  200  200  200  200  403  403  403  403  200  200 ',
    organisation: /**/ '200 200  200  200  200  200  200  403  403  403  403  200  200 ',
  },
  {
    method: 'GET',
    path: '/api/tunnel/device/poll',
    query: '?deviceCode=nobodys-code',
    own: /*        */ '404 404  404  404  404  404  404  404  404  404  404  404  404 ',
    organisation: /**/ '404 404  404  404  404  404  404  404  404  404  404  404  404 ',
  },
  ...['approve', 'deny'].map((verb) => ({
    method: 'POST',
    path: `/api/tunnel/device/${verb}`,
    body: () => ({ userCode: 'AAAA-0000' }),
    own: /*        */ '401 403  403  403  403  403  404  403  403  403  403  403  404 ',
    organisation: /**/ '401 403  403  403  403  403  404  403  403  403  403  403  404 ',
  })),
]

t.test('no route of the panel’s is missing here', async (t) => {
  const all = (await operations(panel)).filter(({ path }) => path.startsWith('/api/tunnel'))
  const named = rows.map(({ method, path }) => `${method} ${path}`)
  t.same(all.map(({ method, path }) => `${method} ${path}`).sort(), [...named].sort())
})

for (const target of ['own', 'organisation'] as const) {
  t.test(
    `each caller at each route, with a device of ${target === 'own' ? 'the owner' : 'the organisation'}`,
    async (t) => {
      const { device, credentials } = cast[target]
      const standing: Subject = { device, allocationId: (await newAllocation(panel, device)).id }
      for (const row of rows) {
        const expected = row[target].trim().split(/\s+/)
        t.equal(expected.length, callers.length, `${row.path}: a status for each`)
        for (const [index, caller] of callers.entries()) {
          // The device itself has to stay: its token is one of the credentials.
          const subject =
            row.consumes && caller !== 'the device' ? await newSubject(target) : await subjectOf(row, standing)
          const reply = await call(row, subject, credentials[index])
          t.equal(outcome(row, subject, reply), expected[index], `${row.method} ${row.path}: ${caller}`)
          if (reply.status === 401) t.match(reply.headers['www-authenticate'], /Bearer/, 'the schemes are named')
          if (reply.status >= 400) t.type(reply.body?.error, 'string', 'with a code')
        }
      }
    },
  )
}

t.test('server devices are administrators’ to start, organisations’ their owners’ and admins’', async (t) => {
  const start = async (target: Target, body: object): Promise<Record<string, number>> => {
    const statuses: Record<string, number> = {}
    for (const [index, caller] of callers.entries()) {
      const carried = { ip: panel.newIp(), ...cast[target].credentials[index] }
      const reply = await panel.send('POST', '/api/tunnel/device/start', { ...carried, body: { name: 'x', ...body } })
      statuses[caller] = reply.status
    }
    return statuses
  }
  const nobody = Object.fromEntries(callers.map((caller) => [caller, 403]))
  const administrators = { administrator: 200, 'administrator’s key': 200 }
  t.same(await start('own', { kind: 'server' }), { ...nobody, ...administrators })
  const managers = { 'organisation owner': 200, 'organisation admin': 200 }
  const { organisationId } = cast
  t.match(await start('own', { organisationId }), {
    ...nobody,
    ...managers,
    administrator: Number,
    'administrator’s key': Number,
  })
})

t.test('while the flag is off nobody gets anything, whoever asks', async (t) => {
  const { device, credentials } = cast.own
  const subject: Subject = { device, allocationId: (await newAllocation(panel, device)).id }
  const asAdmin = { bearer: panel.admin.token }
  await panel.ok('PATCH', '/api/settings', { ...asAdmin, body: { features: { tunnels: false } } })
  try {
    for (const row of rows) {
      for (const [index, caller] of callers.entries()) {
        const { status, body } = await call(row, subject, credentials[index])
        t.match({ status, error: body?.error }, { status: 403, error: 'feature_disabled' }, `${row.path}: ${caller}`)
      }
    }
    const bearer = { authorization: `Bearer ${device.token}` }
    for (const headers of [bearer, {}, { authorization: 'Bearer nonsense' }]) {
      t.same(await refusal(t, panel.url, headers), { code: 403, error: 'feature_disabled' }, 'the WebSocket too')
    }
    t.equal((await panel.send('GET', '/api/tunnel/nothing-there', asAdmin)).status, 403, 'what is not there, too')
  } finally {
    await panel.ok('PATCH', '/api/settings', { ...asAdmin, body: { features: { tunnels: true } } })
  }
  t.equal((await panel.send('GET', '/api/tunnel/devices', asAdmin)).status, 200)
})

async function newSubject(target: Target): Promise<Subject> {
  const device = await newDevice(panel, cast[target].binding)
  return { device, allocationId: (await newAllocation(panel, device)).id }
}

/** The standing device, with a new allocation when the call ends one. */
async function subjectOf(row: Row, standing: Subject): Promise<Subject> {
  if (!row.consumes) return standing
  return { ...standing, allocationId: (await newAllocation(panel, standing.device)).id }
}

function call({ method, path, body, query = '' }: Row, subject: Subject, credential: Carried = {}): Promise<Reply> {
  const id = path.includes('/allocations/') ? String(subject.allocationId) : subject.device.id
  const carried = { ip: panel.newIp(), ...credential, ...(body && { body: body(subject) }) }
  if (path === '/api/tunnel/events') return firstEvents(carried)
  return panel.send(method, path.replace('{id}', id) + query, carried)
}

/** The devices that a stream begins with, as the list has them. */
async function firstEvents(carried: Carried): Promise<Reply> {
  const { reply, stream } = await openEventStream(panel.url, carried)
  if (!stream) return reply
  await until('the first devices', () => stream.told.some(({ event }) => event === 'devices'))
  stream.close()
  return { ...reply, body: { devices: [...stream.devices.values()] } }
}

function outcome({ method, path }: Row, { device }: Subject, { status, body }: Reply): string {
  if (status !== 200 || method !== 'GET') return String(status)
  if (path === '/api/tunnel/devices' || path === '/api/tunnel/events') {
    return `200${body.devices.some(({ id }: { id: string }) => id === device.id) ? '+' : '-'}`
  }
  if (path === '/api/tunnel/allocations') {
    return `200${body.allocations.some(({ deviceId }: { deviceId: string }) => deviceId === device.id) ? '+' : '-'}`
  }
  return '200'
}
