// The pages of organisations: made, filled with members, handed over, deleted.
import { skipWithout } from '@sallyport/core/testing'
import type { Page } from 'playwright-core'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { refuseOnce } from '../../support/dashboard/refuse.js'
import { shows } from '../../support/dashboard/shows.js'
import type { Person } from '../../support/sign-in-panel.js'
import { newAllocation, newDevice } from '../../support/tunnel/devices.js'

t.test('organisations', { skip: skipWithout('Chromium', missingChromium()) }, async (t) => {
  const dashboard = await startDashboard(t, { RELAY_EMBEDDED: 'true' })
  const asAdmin = { bearer: dashboard.admin.token }
  const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
  const closed = (page: Page) => page.getByRole('dialog').waitFor({ state: 'detached' })
  const row = (page: Page, { email }: Person) => page.getByRole('row').filter({ hasText: email })
  const newOrganisation = async (owner: Person, name = 'Clan') => {
    const { body } = await dashboard.ok('POST', '/api/organisations', { bearer: owner.token, body: { name } })
    return body.organisation.id as string
  }
  const put = (id: string, { id: userId }: Person, role: string) =>
    dashboard.ok('PUT', `/api/organisations/${id}/members/${userId}`, { ...asAdmin, body: { role } })
  const rolesOf = async (id: string) => {
    const { body } = await dashboard.ok('GET', `/api/organisations/${id}`, asAdmin)
    return new Map((body.members as { userId: string; role: string }[]).map(({ userId, role }) => [userId, role]))
  }

  t.test('the first one, with a member who has told their ID', async (t) => {
    const [owner, guest] = [await dashboard.newPerson(), await dashboard.newPerson()]
    await looksWell(t, dashboard, { as: owner, path: '/organisations' }, ({ page }) =>
      page.getByText('You are in no organisation').waitFor(),
    )
    const { page: guests } = await dashboard.open({ as: guest, path: '/organisations' })
    const told = await guests.getByRole('region', { name: 'Your user ID' }).innerText()
    t.equal(told, guest.id)

    const { page } = await dashboard.open({ as: owner, path: '/organisations' })
    await press(page, 'Create organisation')
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('   ')
    await dialog.getByRole('button', { name: 'Create' }).click()
    await dialog.getByRole('alert').waitFor()
    t.strictSame(await violations(page), [])
    await dialog.getByLabel('Name').fill('Clan of the Red Lantern')
    await refuseOnce(page, '**/api/organisations', {
      method: 'POST',
      status: 409,
      error: 'organisation_limit',
      detail: 'Nobody has more than 20 organisations in this way',
    })
    await dialog.getByRole('button', { name: 'Create' }).click()
    await dialog.getByText('Nobody has more than 20').waitFor()
    await dialog.getByRole('button', { name: 'Create' }).click()
    await page.getByRole('heading', { level: 1, name: 'Clan of the Red Lantern' }).waitFor()

    await press(page, 'Add member')
    await dialog.getByRole('radio').first().waitFor()
    await shows(t, () => dialog.getByRole('radio').count(), 3, 'an owner makes owners')
    await dialog.getByLabel('User ID').fill('00000000-0000-4000-8000-000000000000')
    await dialog.getByRole('button', { name: 'Add member' }).click()
    await dialog.getByText('There is no user with this ID').waitFor()
    t.strictSame(await violations(page), [])
    await dialog.getByLabel('User ID').fill(owner.id)
    await dialog.getByRole('button', { name: 'Add member' }).click()
    await dialog.getByText('They are a member already').waitFor()
    await dialog.getByLabel('User ID').fill(told)
    await dialog.getByLabel('Admin', { exact: true }).check()
    await dialog.getByRole('button', { name: 'Add member' }).click()
    await row(page, guest).getByText('Admin').waitFor()
    await shows(t, () => page.getByRole('button', { name: 'Change quotas' }).count(), 0, 'quotas are others’ business')

    await press(page, 'Rename')
    await dialog.getByLabel('Name').fill('Clan of the Green Lantern')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { level: 1, name: 'Clan of the Green Lantern' }).waitFor()
    await guests.reload()
    await guests.getByRole('link', { name: 'Clan of the Green Lantern' }).waitFor()
  })

  t.test('roles: the last owner stays one, an admin touches no owner, a member looks on', async (t) => {
    const people = [await dashboard.newPerson(), await dashboard.newPerson(), await dashboard.newPerson()] as const
    const [owner, admin, member] = people
    const id = await newOrganisation(owner)
    await put(id, admin, 'admin')
    await put(id, member, 'member')
    const path = `/organisations/${id}`
    await looksWell(t, dashboard, { as: owner, path }, ({ page }) => row(page, member).waitFor())

    const { page } = await dashboard.open({ as: owner, path })
    const dialog = page.getByRole('dialog')
    await press(page, `Change role of ${owner.email}`)
    await dialog.getByLabel('Member', { exact: true }).check()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByText('This is the only owner').waitFor()
    t.strictSame(await violations(page), [])
    await press(page, 'Cancel')
    await press(page, 'Leave the organisation')
    await dialog.getByRole('button', { name: 'Leave' }).click()
    await dialog.getByText('This is the only owner').waitFor()
    await press(page, 'Cancel')

    await press(page, `Remove ${member.email}`)
    await dialog.getByText('Those that they added stay there').waitFor()
    await dialog.getByRole('button', { name: 'Remove' }).click()
    await row(page, member).waitFor({ state: 'detached' })
    t.notOk((await rolesOf(id)).has(member.id))
    await put(id, member, 'member')

    const { page: admins } = await dashboard.open({ as: admin, path })
    await row(admins, member).getByRole('button', { name: 'Change role' }).waitFor()
    await shows(t, () => row(admins, owner).getByRole('button').count(), 0)
    await shows(t, () => admins.getByRole('button', { name: 'Delete organisation' }).count(), 0)
    await press(admins, `Change role of ${member.email}`)
    await admins.getByRole('dialog').getByRole('radio').first().waitFor()
    await shows(t, () => admins.getByRole('dialog').getByRole('radio').count(), 2, 'no owner is made')
    await press(admins, 'Cancel')

    const { page: members } = await dashboard.open({ as: member, path })
    await row(members, member).waitFor()
    await shows(t, () => members.getByRole('button', { name: 'Add member' }).count(), 0)
    await shows(t, () => members.getByRole('button', { name: 'Rename' }).count(), 0)
    await press(members, 'Leave the organisation')
    await members.getByRole('dialog').getByRole('button', { name: 'Leave' }).click()
    await members.getByText('You are in no organisation').waitFor()
    t.notOk((await rolesOf(id)).has(member.id))

    // Handed over: the former owner is an admin, and sees that at once.
    await press(page, `Change role of ${admin.email}`)
    await dialog.getByLabel('Owner', { exact: true }).check()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await row(page, admin).getByText('Owner').waitFor()
    await press(page, `Change role of ${owner.email}`)
    await dialog.getByLabel('Admin', { exact: true }).check()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await closed(page)
    await page.getByRole('button', { name: 'Delete organisation' }).waitFor({ state: 'detached' })
    t.strictSame(
      [...(await rolesOf(id))].sort(),
      [
        [owner.id, 'admin'],
        [admin.id, 'owner'],
      ].sort(),
    )
  })

  t.test('an administrator adds by e-mail address, sets quotas and deletes', async (t) => {
    const [owner, guest] = [await dashboard.newPerson(), await dashboard.newPerson()]
    const id = await newOrganisation(owner, 'To be deleted')
    const device = await newDevice(dashboard, { organisationId: id, ownerId: owner.id })
    await newAllocation(dashboard, device)
    const path = `/organisations/${id}`
    await looksWell(t, dashboard, { as: dashboard.admin, path }, async ({ page }) => {
      await press(page, 'Add member')
      await page.getByLabel('User', { exact: true }).waitFor()
    })

    const { page } = await dashboard.open({ as: dashboard.admin, path })
    const dialog = page.getByRole('dialog')
    await page.getByText('not a member').waitFor()
    await press(page, 'Add member')
    await dialog.getByLabel('User', { exact: true }).fill('nobody@example.com')
    await dialog.getByRole('button', { name: 'Add member' }).click()
    await dialog.getByText('No user has this e-mail address').waitFor()
    await dialog.getByLabel('User', { exact: true }).fill(guest.email.toUpperCase())
    await dialog.getByRole('button', { name: 'Add member' }).click()
    await row(page, guest).getByText('Member').waitFor()

    await page.getByText('50, as the settings say').waitFor()
    await press(page, 'Change quotas')
    await dialog.getByLabel('Tunnels').fill('7')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByText('7, for this organisation alone').waitFor()

    await press(page, 'Delete organisation')
    await dialog.getByText('Now: 1 device, 1 tunnel.').waitFor()
    await dialog.getByText('2 members will no longer be in it').waitFor()
    t.strictSame(await violations(page), [])
    await dialog.getByRole('button', { name: 'Delete organisation' }).click()
    await page.getByRole('heading', { level: 1, name: 'Organisations' }).waitFor()
    t.equal((await dashboard.send('GET', `/api/organisations/${id}`, asAdmin)).status, 404)
    t.equal((await dashboard.send('GET', '/api/tunnel/devices', { bearer: device.token })).status, 401)
    await page.goto(dashboard.url + path)
    await page.getByRole('alert').waitFor()
    t.strictSame(await violations(page), [], 'one that is not there')
  })
})
