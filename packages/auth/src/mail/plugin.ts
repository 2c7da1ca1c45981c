import { coreErrors, definePlugin, Http, type Plugin, type PluginFactory, type Secret, secret } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { authErrors } from '../errors.js'
import { version } from '../version.js'
import { createLogMailer } from './log-mailer.js'
import { Mailer } from './mailer.js'
import { parseSender, senderOf } from './sender.js'
import { createSmtpMailer } from './smtp-mailer.js'
import { parseSmtpUrl, type SmtpServer } from './smtp-url.js'

/** Configuration of mail. */
export interface MailConfig {
  /**
   * The mail server: `smtp://host:port`, `smtp://user:password@host:port`, or `smtps:` for TLS from the beginning. With
   * `smtp:` STARTTLS is used when the server offers it; with a password and another host than this one nothing is sent
   * without it. Left out, mail is written to the log: for development.
   */
  readonly url?: Secret
  /** `name@example.com` or `Name <name@example.com>`. Default: `Sallyport <no-reply@…>` at the public URL's host. */
  readonly from?: string
}

const name = '@sallyport/auth.mail'
const maxSenderLength = 320

const schema = Type.Object(
  { url: Type.Optional(secret({ minLength: 1 })), from: Type.Optional(Type.String({ maxLength: maxSenderLength })) },
  { additionalProperties: false },
)

const define: PluginFactory<MailConfig> = definePlugin({
  name,
  version,
  optional: { http: Http },
  provides: { mailer: Mailer },
  config: schema,
  errors: authErrors,
  setup({ services, config, scope, logger }) {
    const server = readUrl(config)
    if (!server) return { mailer: createLogMailer(logger) }
    const sender = config.from === undefined ? undefined : parseSender(config.from)
    // The public URL may be known only once the panel listens.
    const from = () => sender ?? senderOf(services.http?.publicUrl)
    const mailer = createSmtpMailer({ server, from, logger })
    scope.defer(mailer.close)
    return { mailer }
  },
})

/**
 * Sends mail by SMTP, or writes it to the log. Provides `Mailer`.
 * @throws `CORE_ERR_CONFIG_INVALID` for a URL or a sender that is none
 */
export const mail: PluginFactory<MailConfig> = (input) => {
  const plugin: Plugin = define(input)
  const config = plugin.config as MailConfig
  readUrl(config)
  if (config.from !== undefined && !parseSender(config.from)) throw invalid('from is no e-mail address')
  return plugin
}

function readUrl({ url }: MailConfig): SmtpServer | undefined {
  if (!url) return undefined
  const server = parseSmtpUrl(url.reveal())
  if ('wrong' in server) throw invalid(`url: ${server.wrong}`)
  return server
}

function invalid(reason: string): Error {
  return coreErrors.CONFIG_INVALID({ plugin: name, reason })
}
