// Section 5 of the contract: a user's or organisation's own quotas stand in place of the settings'.
import { join } from 'node:path'
import t from 'tap'
import { type Api, api, signIn } from '../support/api.js'
import { panelEnvironment, startPanel, temporaryDirectory } from '../support/panel.js'

let url: string
let admin: Api
let localPort = 1_000

t.before(async () => {
  const directory = await temporaryDirectory(t)
  ;({ url } = await startPanel(t, panelEnvironment(join(directory, 'data'))))
  admin = await signIn(url)
})

/** A device that is approved for somebody. */
async function enrol(owner: { ownerId: string; organisationId?: string }): Promise<Api> {
  const started = await admin.ok<Record<string, string>>('POST', '/api/tunnel/device/start', { name: 'home' })
  await admin.ok('POST', '/api/tunnel/device/approve', { userCode: started['userCode'], ...owner })
  const path = `/api/tunnel/device/poll?deviceCode=${started['deviceCode']}`
  return api(url, (await admin.ok<{ token: string }>('GET', path)).token)
}

/** Statuses of as many allocations as are asked for, one after the other. */
async function open(device: Api, count: number): Promise<number[]> {
  const statuses: number[] = []
  for (let made = 0; made < count; made += 1) {
    localPort += 1
    const answer = await device.request('POST', '/api/tunnel/allocations', { localPort, protocol: 'tcp' })
    statuses.push(answer.status)
    if (answer.status !== 201) t.match(answer.body, { error: 'quota_exceeded' })
  }
  return statuses
}

t.test('a user with a quota of their own, and one without', async (t) => {
  await admin.ok('PATCH', '/api/settings', { quotas: { allocationsPerUser: 2 } })
  const person = async (email: string): Promise<string> => {
    const body = { email, password: 'correct horse battery' }
    return (await admin.ok<{ user: { id: string } }>('POST', '/api/users', body)).user.id
  }
  const [own, other] = [await person('own@localhost'), await person('other@localhost')]
  await admin.ok('PATCH', `/api/users/${own}`, { quotas: { allocationsPerUser: 3 } })
  t.same(await open(await enrol({ ownerId: own }), 4), [201, 201, 201, 403])
  t.same(await open(await enrol({ ownerId: other }), 3), [201, 201, 403])
  await admin.ok('PATCH', `/api/users/${own}`, { quotas: null })
  t.same(await open(await enrol({ ownerId: own }), 1), [403], 'over all of their devices')
})

t.test('an organisation with a quota of its own', async (t) => {
  const me = await admin.ok<{ user: { id: string } }>('GET', '/api/auth/session')
  const made = await admin.ok<{ organisation: { id: string } }>('POST', '/api/organisations', { name: 'guild' })
  const { id } = made.organisation
  await admin.ok('PATCH', `/api/organisations/${id}`, { quotas: { allocationsPerOrganisation: 1 } })
  t.same(await open(await enrol({ ownerId: me.user.id, organisationId: id }), 2), [201, 403])
})
