import type { Carried } from '../raw-client.js'
import type { SignInPanel } from '../sign-in-panel.js'
import { type DeviceWishes, newDevice, type TestDevice } from './devices.js'

/** Everybody who may ask, in the order of the table. Keys are of whoever has the device: the owner, or the organisation's. */
export const callers = [
  'nobody',
  'owner',
  'stranger',
  'organisation owner',
  'organisation admin',
  'organisation member',
  'administrator',
  'the device',
  'another device',
  'client key without',
  'client key to read',
  'client key to write',
  'administrator’s key',
] as const

export type Target = 'own' | 'organisation'

export interface Scene {
  readonly device: TestDevice
  /** Whose a device of this kind is. */
  readonly binding: DeviceWishes
  /** In the order of `callers`. */
  readonly credentials: readonly Carried[]
}

export interface Cast extends Readonly<Record<Target, Scene>> {
  readonly organisationId: string
}

export async function castOf(panel: SignInPanel): Promise<Cast> {
  const people = {
    owner: await panel.newPerson(),
    stranger: await panel.newPerson(),
    organisationOwner: await panel.newPerson(),
    organisationAdmin: await panel.newPerson(),
    member: await panel.newPerson(),
  }
  const asOwner = { bearer: people.organisationOwner.token }
  const { body } = await panel.ok('POST', '/api/organisations', { ...asOwner, body: { name: 'ours' } })
  const organisationId: string = body.organisation.id
  for (const [person, role] of [
    [people.organisationAdmin, 'admin'],
    [people.member, 'member'],
  ] as const) {
    const path = `/api/organisations/${organisationId}/members/${person.id}`
    await panel.ok('PUT', path, { ...asOwner, body: { role } })
  }
  const { key: adminKey } = await panel.newKey(panel.admin, { type: 'admin', permissions: undefined })
  const another = await newDevice(panel, { ownerId: people.stranger.id })

  const scene = async (keyOwner: (typeof people)[keyof typeof people], binding: DeviceWishes): Promise<Scene> => {
    const device = await newDevice(panel, binding)
    const key = async (...permissions: string[]): Promise<Carried> => ({
      apiKey: (await panel.newKey(keyOwner, { permissions })).key,
    })
    return {
      device,
      binding,
      credentials: [
        {},
        ...Object.values(people).map(({ token }) => ({ bearer: token })),
        { bearer: panel.admin.token },
        { bearer: device.token },
        { bearer: another.token },
        await key(),
        await key('tunnels:read'),
        await key('tunnels:write'),
        { apiKey: adminKey },
      ],
    }
  }
  return {
    organisationId,
    own: await scene(people.owner, { ownerId: people.owner.id }),
    organisation: await scene(people.organisationOwner, { organisationId }),
  }
}
