import { type Credentials, findCredentials } from '../config/credentials.js'
import { tokenSubject } from '../config/token-subject.js'
import type { CliContext } from '../context.js'
import { CliError, ExitCode } from '../exit.js'

const ENROL = "'sallyport enroll --panel URL --kind server'"

/** Who this relay is: its id is that of its device. Throws CliError, with exit code 3 when it is no relay's token. */
export async function findRelayCredentials(context: CliContext): Promise<Credentials & { id: string }> {
  const credentials = await findCredentials(context).catch((error: unknown) => {
    if (!(error instanceof CliError) || error.code !== 'not_enrolled') throw error
    const detail = error.message.replace(/'sallyport enroll --panel URL'/, ENROL)
    throw new CliError(error.code, detail, error.exitCode)
  })
  if (credentials.kind === 'client') {
    const detail = `${context.configPath} is an agent's (for 'sallyport run'), not a relay's: enrol one with ${ENROL} and a --config of its own`
    throw new CliError('wrong_kind', detail, ExitCode.notEnrolled)
  }
  const id = credentials.deviceId ?? tokenSubject(credentials.token)
  if (id === undefined)
    throw new CliError('not_enrolled', `this is no device token: enrol with ${ENROL}`, ExitCode.notEnrolled)
  return { ...credentials, id }
}
