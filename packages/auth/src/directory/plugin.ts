import {
  Audit,
  coreErrors,
  createSql,
  Database,
  definePlugin,
  Events,
  Http,
  type Plugin,
  type PluginFactory,
  type Secret,
  secret,
  UserDirectory,
} from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { isEmail } from '../email.js'
import { authErrors } from '../errors.js'
import { emailSchema } from '../input.js'
import { isAcceptablePassword, maxPasswordLength, minPasswordLength } from '../password.js'
import { PasswordPolicy } from '../password-policy.js'
import { version } from '../version.js'
import { createBuiltInDirectory } from './built-in-directory.js'
import { type GeneratedPasswordHandler, makeFirstAdministrator } from './first-administrator.js'
import { directoryMigrations } from './migrations.js'
import { createMembers } from './organisations/members.js'
import { registerOrganisationRoutes } from './organisations/organisation-routes.js'
import { createOrganisations } from './organisations/organisations.js'
import { createPasswordHasher } from './password-hasher.js'
import { organisationDeleted, userChanged } from './user-changed.js'
import { defineUserRecords } from './user-record.js'
import { registerUserRoutes } from './user-routes.js'
import { createUsers } from './users.js'

/** Configuration of the built-in directory. */
export interface DirectoryConfig {
  /** Made with the permission `*` when there are no users; left out, nobody is made. */
  readonly firstAdministrator?: {
    readonly email: string
    /** 8–256 characters. Left out, one is generated and told to `onGenerated`. */
    readonly password?: Secret
    /** Told the generated password, once in a panel's life: to be shown to the operator, not logged. */
    readonly onGenerated?: GeneratedPasswordHandler
  }
}

const name = '@sallyport/auth.directory'

const schema = Type.Object(
  {
    firstAdministrator: Type.Optional(
      Type.Object(
        {
          email: emailSchema,
          password: Type.Optional(secret()),
          onGenerated: Type.Optional(Type.Unsafe<GeneratedPasswordHandler>({})),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
)

const define: PluginFactory<DirectoryConfig> = definePlugin({
  name,
  version,
  requires: { audit: Audit, database: Database, events: Events, http: Http, policy: PasswordPolicy },
  provides: { users: UserDirectory },
  config: schema,
  migrations: directoryMigrations,
  errors: authErrors,
  async setup({ services: { audit, database, events, http, policy }, config }) {
    const records = defineUserRecords(database.sequelize)
    const hasher = createPasswordHasher()
    const sql = createSql(database)
    if (config.firstAdministrator) {
      const { email, password, onGenerated } = config.firstAdministrator
      await makeFirstAdministrator({ email, password, onGenerated, database, records, hasher, audit })
    }
    const onMembershipsChanged = async (userIds: Iterable<string>): Promise<void> => {
      for (const userId of userIds) await events.emit(userChanged, { userId, change: 'permissions' })
    }
    const shared = { database, sql, onMembershipsChanged }
    registerUserRoutes({ http, users: createUsers({ database, sql, records, hasher, events }), audit, policy })
    registerOrganisationRoutes({
      http,
      organisations: createOrganisations({
        ...shared,
        onDeleted: (organisationId) => events.emit(organisationDeleted, { organisationId }),
      }),
      members: createMembers(shared),
      audit,
    })
    return { users: createBuiltInDirectory({ sql, records, hasher, events }) }
  },
})

/**
 * The built-in directory: users and organisations in tables of Sallyport's own, `/api/users` and `/api/organisations`.
 * Provides `UserDirectory`.
 * @throws `CORE_ERR_CONFIG_INVALID` when the first administrator could not sign in
 */
export const directory: PluginFactory<DirectoryConfig> = (input) => {
  const plugin = define(input)
  assertUsable(plugin)
  return plugin
}

function assertUsable({ config }: Plugin): void {
  const { firstAdministrator } = config as DirectoryConfig
  if (!firstAdministrator) return
  const { email, password, onGenerated } = firstAdministrator
  const refuse = (reason: string): never => {
    throw coreErrors.CONFIG_INVALID({ plugin: name, reason: `firstAdministrator.${reason}` })
  }
  if (!isEmail(email)) refuse('email is not an e-mail address')
  if (password && !isAcceptablePassword(password.reveal())) {
    refuse(`password must have ${minPasswordLength} to ${maxPasswordLength} characters`)
  }
  if (!password && typeof onGenerated !== 'function') refuse('password is missing, and onGenerated too')
}
