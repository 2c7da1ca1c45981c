import { deepEqual, equal, ok } from 'node:assert/strict'
import type { DirectoryChange, DirectoryUser, UserDirectory } from '../identity/directory.js'
import { isPermission } from '../identity/permissions.js'
import type { Runner } from './runner.js'

/** A directory under test, with a user whose password is known. */
export interface UserDirectoryFixture {
  readonly directory: UserDirectory
  /** An e-mail with letters in it, as the directory holds it. */
  readonly email: string
  readonly password: string
  /** Ends the user, as the directory's owner would; the contract then expects to be told. */
  readonly suspend?: (userId: string) => Promise<void>
  /** Makes an organisation and gives its id. */
  readonly addOrganisation?: () => Promise<string>
  /** Ends it, as the directory's owner would; with `onOrganisationDeleted` the contract then expects to be told. */
  readonly removeOrganisation?: (organisationId: string) => Promise<void>
  readonly dispose?: () => void | Promise<void>
}

const unknownEmail = 'nobody@sallyport.invalid'
const unknownIds = ['', '0', 'no-such-user', "' OR 1=1 --", '00000000-0000-4000-8000-000000000000', 'x'.repeat(10_000)]

/** What every `UserDirectory` must do. `make` gives a fresh fixture to each test. */
export function userDirectoryContract({ test }: Runner, make: () => Promise<UserDirectoryFixture>): void {
  const check = (name: string, body: (fixture: UserDirectoryFixture) => Promise<void>): unknown =>
    test(`user directory: ${name}`, async () => {
      const fixture = await make()
      try {
        await body(fixture)
      } finally {
        await fixture.dispose?.()
      }
    })

  check('finds a user by e-mail and by id alike', async ({ directory, email }) => {
    const user = await known(directory, email)
    deepEqual(await directory.findById(user.id), user)
  })
  check('gives what the interface says', async ({ directory, email }) => {
    const user = await known(directory, email)
    equal(typeof user.id, 'string')
    ok(user.id !== '')
    ok(user.name === null || typeof user.name === 'string')
    ok(user.permissions.every(isPermission), 'permissions are permissions')
    ok(user.memberships.every(({ organisationId }) => typeof organisationId === 'string'))
    equal(user.suspended, false)
    equal(JSON.stringify(user).toLowerCase().includes('password'), false, 'nothing of the password is in it')
  })
  check('does not tell e-mails apart by case', async ({ directory, email }) => {
    const user = await known(directory, email)
    equal((await directory.findByEmail(email.toUpperCase()))?.id, user.id)
  })
  check('knows nobody by an unknown e-mail or id', async ({ directory }) => {
    equal(await directory.findByEmail(unknownEmail), undefined)
    for (const id of unknownIds) equal(await directory.findById(id), undefined, `id ${id.slice(0, 40)}`)
  })
  check('verifies the right password and no other', async ({ directory, email, password }) => {
    const user = await known(directory, email)
    equal((await directory.verifyPassword(email, password))?.id, user.id)
    equal((await directory.verifyPassword(email.toUpperCase(), password))?.id, user.id)
    for (const wrong of ['', `${password}!`, password.slice(1), password.toUpperCase() + password.toLowerCase()]) {
      equal(await directory.verifyPassword(email, wrong), undefined)
    }
    equal(await directory.verifyPassword(unknownEmail, password), undefined)
  })
  check('gives who verified their password as it finds them then', async ({ directory, email, password }) => {
    const verified = await directory.verifyPassword(email, password)
    deepEqual(await directory.findByEmail(email), verified, 'its stamp too, else the session just begun is void')
  })
  check('gives one spelling of an id, however it was asked for', async ({ directory, email }) => {
    const { id } = await known(directory, email)
    const spellings = [` ${id}`, `${id} `, `0${id}`, `+${id}`, `${id}.0`, `${id}\n`, `${id}\0`, id.toUpperCase()]
    for (const spelling of spellings) {
      const found = await directory.findById(spelling)
      ok(found === undefined || found.id === id, `id ${JSON.stringify(spelling)}`)
    }
  })
  check('changes a password, and the stamp with it', async ({ directory, email, password }) => {
    if (!directory.changePassword) return
    const before = await known(directory, email)
    const newPassword = `${password} (new)`
    const changed = await directory.changePassword(before.id, newPassword)
    const after = await known(directory, email)
    deepEqual(changed, after)
    equal(changed?.id, before.id)
    if (before.securityStamp !== undefined) ok(after.securityStamp !== before.securityStamp, 'sessions end')
    equal(after.accessStamp, before.accessStamp, 'keys do not')
    equal(await directory.verifyPassword(email, password), undefined)
    equal((await directory.verifyPassword(email, newPassword))?.id, before.id)
    for (const id of unknownIds) equal(await directory.changePassword(id, newPassword), undefined)
  })
  check('knows no organisation by an unknown id', async ({ directory }) => {
    for (const id of unknownIds) equal(await directory.findOrganisation?.(id), undefined, `id ${id.slice(0, 40)}`)
  })
  check('tells of an organisation that is gone', async ({ directory, addOrganisation, removeOrganisation }) => {
    if (!directory.onOrganisationDeleted || !addOrganisation || !removeOrganisation) return
    const [id, told] = [await addOrganisation(), [] as string[]]
    const stop = directory.onOrganisationDeleted((organisationId) => void told.push(organisationId))
    await directory.onOrganisationDeleted((organisationId) => void told.push(organisationId))()
    equal((await directory.findOrganisation?.(id))?.id, id)
    await removeOrganisation(id)
    deepEqual(told, [id], 'once, by its id, and not whoever stopped listening')
    equal(await directory.findOrganisation?.(id), undefined)
    await stop()
  })
  check('tells of a suspension, and then says so', async ({ directory, email, suspend }) => {
    if (!suspend) return
    const user = await known(directory, email)
    const changes: DirectoryChange[] = []
    const stop = directory.onChange((change) => void changes.push(change))
    await suspend(user.id)
    deepEqual(changes, [{ userId: user.id, change: 'suspended' }])
    equal((await directory.findById(user.id))?.suspended, true)
    await stop()
  })
  check('tells nothing to a handler that was taken back', async ({ directory, email, suspend }) => {
    if (!suspend) return
    const changes: DirectoryChange[] = []
    await directory.onChange((change) => void changes.push(change))()
    await suspend((await known(directory, email)).id)
    deepEqual(changes, [])
  })
}

async function known(directory: UserDirectory, email: string): Promise<DirectoryUser> {
  const user = await directory.findByEmail(email)
  ok(user, 'the fixture has a user of that e-mail')
  return user
}
