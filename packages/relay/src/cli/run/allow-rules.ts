import { RelayError } from '../../errors.js'
import { type AllowRule, LOOPBACK_RULES, parseAllowRule } from '../../target/allow-rule.js'
import { CliError, ExitCode } from '../exit.js'

/** `--allow`, else what the configuration file says, else loopback. An empty list in the file allows nothing. Throws CliError (usage). */
export function allowRules(flags: readonly string[], file: readonly string[] | undefined): readonly AllowRule[] {
  const texts = flags.length > 0 ? flags : file
  if (texts === undefined) return LOOPBACK_RULES
  return texts.map((text) => {
    try {
      return parseAllowRule(text)
    } catch (error) {
      if (!(error instanceof RelayError)) throw error
      throw new CliError('invalid_allow', `--allow: ${error.message}`, ExitCode.usage)
    }
  })
}
