import { randomBytes, randomUUID } from 'node:crypto'
import type { Audit, Database, Secret } from '@sallyport/core'
import { normaliseEmail } from '../email.js'
import type { PasswordHasher } from './password-hasher.js'
import type { UserRecords } from './user-record.js'

/** 120 bits, 20 characters. */
const generatedPasswordBytes = 15

export interface FirstAdministratorOptions {
  readonly email: string
  readonly password: Secret | undefined
  readonly onGenerated: GeneratedPasswordHandler | undefined
  readonly database: Database
  readonly records: UserRecords
  readonly hasher: PasswordHasher
  readonly audit: Audit
}

/** Told the first administrator's generated password, once in a panel's life. */
export type GeneratedPasswordHandler = (administrator: {
  readonly email: string
  readonly password: string
}) => void | Promise<void>

/** Makes an administrator who holds `*` when there are no users; of instances that start together, one does. */
export async function makeFirstAdministrator(options: FirstAdministratorOptions): Promise<void> {
  const { email, database, records, hasher, audit } = options
  if ((await records.count()) > 0) return
  const generated = options.password ? undefined : randomBytes(generatedPasswordBytes).toString('base64url')
  const passwordHash = await hasher.hash(options.password?.reveal() ?? generated ?? '')
  const id = randomUUID()
  const made = await database.transaction(async (transaction) => {
    // Against other instances and against POST /api/users: conflicts with every writer, not with readers.
    await database.sequelize.query('LOCK TABLE auth_users IN SHARE ROW EXCLUSIVE MODE', { transaction })
    if ((await records.count({ transaction })) > 0) return false
    await records.create(
      {
        id,
        email,
        emailNormalised: normaliseEmail(email),
        name: null,
        passwordHash,
        permissions: ['*'],
        suspended: false,
        securityStamp: randomUUID(),
        accessStamp: randomUUID(),
      },
      { transaction },
    )
    return true
  })
  if (!made) return
  // Before anything that may fail: nobody can be told later.
  if (generated !== undefined) await options.onGenerated?.({ email, password: generated })
  await audit.record({ action: 'user.created', actor: 'system', target: { type: 'user', id }, data: { email } })
}
