import { Database } from '@sallyport/core'
import { QueryTypes } from 'sequelize'
import t from 'tap'
import { admin, startPanel } from './support/panel.js'
import { type TestUser, testDirectory } from './support/users.js'

const directory = testDirectory()
const panel = await startPanel({ plugins: [directory.plugin], config: { relay: false } })
t.teardown(() => panel.stop())

const alice: TestUser = { id: 'alice' }
const start = (json: object, as?: TestUser) =>
  panel.call('POST', '/api/tunnel/device/start', { json, ...(as ? { as } : {}) })
const poll = (deviceCode: string) => panel.call('GET', `/api/tunnel/device/poll?deviceCode=${deviceCode}`)
const approve = (json: object, as: TestUser = admin) => panel.call('POST', '/api/tunnel/device/approve', { as, json })
const deny = (json: object, as: TestUser = admin) => panel.call('POST', '/api/tunnel/device/deny', { as, json })
const sql = (text: string, bind: unknown[] = []) =>
  panel.kernel.get(Database).sequelize.query(text, { bind, type: QueryTypes.SELECT })
const pause = () => new Promise((resolve) => setTimeout(resolve, 25))

t.test('from the code to the token', async (t) => {
  const started = await start({ name: 'gaming rig' })
  t.equal(started.status, 200)
  t.equal(started.headers.get('cache-control'), 'no-store')
  const { deviceCode, userCode, verificationUri, expiresAt, interval } = started.body
  t.equal(Buffer.from(deviceCode, 'base64url').length, 32, '256 bits')
  t.match(userCode, /^[A-Z0-9]{4}-[A-Z0-9]{4}$/)
  t.match(verificationUri, /\/tunnel\/verify$/)
  t.equal(started.body.verificationUriComplete, `${verificationUri}?user_code=${userCode}`)
  t.ok(Math.abs(Date.parse(expiresAt) - Date.now() - 600_000) < 10_000, 'ten minutes')
  t.equal(interval, 0.02)

  t.same((await poll(deviceCode)).body, { approved: false, interval })
  const approved = await approve({
    userCode: ` ${userCode.toLowerCase().replace('-', '')} `,
    ownerId: 'bob',
    name: 'rig',
  })
  t.equal(approved.status, 200)
  t.match(approved.body, {
    success: true,
    device: { name: 'rig', kind: 'client', approved: true, ownerId: 'bob', organisationId: null, online: false },
  })
  t.notMatch(JSON.stringify(approved.body), deviceCode)

  await pause()
  const first = await poll(deviceCode)
  t.equal(first.body.approved, true)
  await pause()
  const again = await poll(deviceCode)
  t.equal(again.status, 200, 'a lost answer is made up for')

  for (const { body } of [first, again]) {
    t.equal((await panel.call('GET', '/api/tunnel/allocations', { token: body.token })).status, 200)
  }
  await pause()
  const late = await poll(deviceCode)
  t.equal(late.status, 410, 'once the token was used the code gives out nothing')
  t.equal(late.body.error, 'enrolment_redeemed')
})

t.test('the database holds neither code nor token', async (t) => {
  const { body } = await start({ name: 'secretive' })
  await approve({ userCode: body.userCode })
  const { token } = (await poll(body.deviceCode)).body
  const rows = JSON.stringify(await sql('SELECT * FROM tunnel_devices'))
  t.notOk(rows.includes(body.deviceCode))
  t.notOk(rows.includes(token))
  const log = JSON.stringify(panel.kernel.log.lines)
  t.notOk(log.includes(body.deviceCode), 'nor does the log')
  t.notOk(log.includes(token))
})

t.test('the owner is the one named, else the one who started, else the approver', async (t) => {
  const of = async (as: TestUser | undefined, ownerId?: string | number) => {
    const { body } = await start({ name: 'x' }, as)
    return (await approve({ userCode: body.userCode, ...(ownerId === undefined ? {} : { ownerId }) })).body.device
      ?.ownerId
  }
  t.equal(await of(alice, 'carol'), 'carol')
  t.equal(await of(alice, 42), '42')
  t.equal(await of(alice), 'alice')
  t.equal(await of(undefined), 'admin')
  const { body } = await start({ name: 'x' })
  const unknown = await approve({ userCode: body.userCode, ownerId: 'nobody' })
  t.same([unknown.status, unknown.body.error], [400, 'owner_unknown'])
  t.equal((await approve({ userCode: body.userCode })).status, 200, 'and the code was not used up')
})

t.test('two approvals at one time: one wins', async (t) => {
  for (let round = 0; round < 5; round += 1) {
    const { body } = await start({ name: 'contended' })
    const answers = await Promise.all(
      ['a', 'b', 'c', 'd'].map((ownerId) => approve({ userCode: body.userCode, ownerId })),
    )
    t.same(answers.map(({ status }) => status).sort(), [200, 409, 409, 409])
    const winner = answers.find(({ status }) => status === 200)?.body.device
    const listed = (await panel.devices(admin)).find(({ id }) => id === winner.id)
    t.equal(listed?.ownerId, winner.ownerId)
  }
})

t.test('approving and denying at one time: one wins', async (t) => {
  const { body } = await start({ name: 'contended' })
  const answers = await Promise.all([approve({ userCode: body.userCode }), deny({ userCode: body.userCode })])
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
})

t.test('denied is 410, for the device and for another approval', async (t) => {
  const { body } = await start({ name: 'unwanted' })
  t.same((await deny({ userCode: body.userCode })).body, { success: true })
  const polled = await poll(body.deviceCode)
  t.same([polled.status, polled.body.error], [410, 'enrolment_denied'])
  t.equal((await approve({ userCode: body.userCode })).status, 410)
  t.notOk(
    (await panel.devices(admin)).some(({ userCode }) => userCode === body.userCode),
    'and it is listed no more',
  )
})

t.test('only who may approve approves', async (t) => {
  const { body } = await start({ name: 'x' }, alice)
  for (const as of [alice, { id: 'z', permissions: ['tunnels:read', 'tunnels:write', 'tunnels'] }]) {
    t.equal((await approve({ userCode: body.userCode }, as)).status, 403)
    t.equal((await deny({ userCode: body.userCode }, as)).status, 403)
  }
  t.equal((await panel.call('POST', '/api/tunnel/device/approve', { json: { userCode: body.userCode } })).status, 401)
  t.equal((await approve({ userCode: body.userCode }, { id: 'z', permissions: ['tunnels:approve'] })).status, 200)
})

t.test('guessing user codes is throttled, a right one clears the count', async (t) => {
  const guesser: TestUser = { id: 'guesser', permissions: ['tunnels:approve'] }
  const { body } = await start({ name: 'target' })
  for (let n = 0; n < 10; n += 1) t.equal((await approve({ userCode: 'BBBB-BBBB' }, guesser)).status, 404)
  t.equal((await approve({ userCode: body.userCode }, guesser)).status, 200)
  let last = 0
  let wrong = 0
  let retryAfter: string | null = null
  while (last !== 429 && wrong < 100) {
    const answer = await approve({ userCode: wrong % 2 ? 'nonsense' : 'BBBB-BBBC' }, guesser)
    last = answer.status
    retryAfter = answer.headers.get('retry-after')
    wrong += 1
  }
  t.equal(wrong, 31)
  t.ok(Number(retryAfter) > 0)
  const next = await start({ name: 'target' })
  t.equal((await approve({ userCode: next.body.userCode }, guesser)).status, 429, 'right codes wait too')
})

t.test('expired is 410, for the device and for an approval', async (t) => {
  const { body } = await start({ name: 'late' })
  await sql("UPDATE tunnel_devices SET expires_at = now() - interval '1 second' WHERE user_code = $1", [body.userCode])
  const polled = await poll(body.deviceCode)
  t.same([polled.status, polled.body.error], [410, 'enrolment_expired'])
  const approved = await approve({ userCode: body.userCode })
  t.same([approved.status, approved.body.error], [410, 'enrolment_expired'])
  t.notOk(
    (await panel.devices(admin)).some(({ userCode }) => userCode === body.userCode),
    'and it is listed no more',
  )
})

t.test('a token that nobody fetched in time is not given out', async (t) => {
  const { body } = await start({ name: 'forgotten' })
  t.equal((await approve({ userCode: body.userCode })).status, 200)
  await sql("UPDATE tunnel_devices SET expires_at = now() - interval '1 second' WHERE user_code = $1", [body.userCode])
  t.equal((await poll(body.deviceCode)).status, 410)
})

t.test('approval just before the end leaves time to fetch the token', async (t) => {
  const { body } = await start({ name: 'last minute' })
  await sql("UPDATE tunnel_devices SET expires_at = now() + interval '5 seconds' WHERE user_code = $1", [body.userCode])
  await approve({ userCode: body.userCode })
  const [row] = (await sql(
    "SELECT expires_at > now() + interval '60 seconds' AS enough FROM tunnel_devices WHERE user_code = $1",
    [body.userCode],
  )) as { enough: boolean }[]
  t.equal(row?.enough, true)
})

t.test('unknown codes are 404', async (t) => {
  t.equal((await poll('A'.repeat(43))).status, 404)
  t.equal((await poll(encodeURIComponent("' OR 1=1 --"))).status, 404)
  t.equal((await approve({ userCode: 'BCDF-2345' })).status, 404)
})

t.test('who may start what', async (t) => {
  const managing = (role: 'owner' | 'admin' | 'member'): TestUser => ({
    id: 'olga',
    memberships: [{ organisationId: '7', role }],
  })
  const status = async (json: object, as?: TestUser) => (await start({ name: 'x', ...json }, as)).status
  t.equal(await status({ kind: 'server' }), 403)
  t.equal(await status({ kind: 'server' }, alice), 403)
  t.equal(await status({ kind: 'server' }, { id: 'approver', permissions: ['tunnels:approve'] }), 200)
  t.equal(await status({ kind: 'server' }, admin), 200)
  t.equal(await status({ organisationId: 7 }), 403)
  t.equal(await status({ organisationId: 7 }, alice), 403)
  t.equal(await status({ organisationId: 7 }, managing('member')), 403)
  t.equal(await status({ organisationId: 7 }, managing('admin')), 200)
  t.equal(await status({ organisationId: '7' }, managing('owner')), 200)
  const device = await panel.enrol(alice)
  const begotten = await panel.call('POST', '/api/tunnel/device/start', { token: device.token, json: { name: 'x' } })
  t.equal(begotten.status, 403, 'a device enrols no other')
})

t.test('bad bodies are 400', async (t) => {
  const bodies = [
    {},
    { name: '' },
    { name: ' ' },
    { name: 'a\0b' },
    { name: 'x'.repeat(101) },
    { name: ['x'] },
    { name: 1 },
    { name: null },
    { name: 'x', kind: 'admin' },
    { name: 'x', approved: true },
    { name: 'x', organisationId: [1] },
    { name: 'x', organisationId: '' },
    { name: 'x', organisationId: 'a\0' },
    { name: 'x', ownerId: 'alice' },
  ]
  for (const json of bodies) t.equal((await start(json)).status, 400, JSON.stringify(json))
  for (const json of [{}, { userCode: 1 }, { userCode: 'x'.repeat(33) }, { userCode: 'BCDF-2345', admin: true }]) {
    t.equal((await approve(json)).status, 400, JSON.stringify(json))
  }
  t.equal((await panel.call('GET', '/api/tunnel/device/poll')).status, 400)
})

t.test('suspending who started it denies what waits', async (t) => {
  const { body } = await start({ name: 'x' }, { id: 'mallory' })
  await directory.change({ userId: 'mallory', change: 'suspended' })
  t.equal((await approve({ userCode: body.userCode })).status, 410)
})
