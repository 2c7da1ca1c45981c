import type { CliContext } from '../context.js'
import { CliError } from '../exit.js'
import type { PanelClient } from '../panel/panel-client.js'
import { panelError } from '../panel/panel-error.js'
import { withSpinner } from '../terminal/spinner.js'
import { watchKeys } from '../terminal/watch-keys.js'
import type { Done } from './allocation-requests.js'

/** What the parts of the management on a terminal share. */
export interface Managing {
  /** Its signal is Ctrl-C as well. */
  context: CliContext
  client: PanelClient
  /**
   * Waits for the panel's answer, with a spinner while it takes long. A refusal is said and the management goes on, unless it `isVital`;
   * a token that is not taken and Ctrl-C end it as well: throws CliError.
   */
  ask: <T>(what: string, answer: Promise<Done<T>>, isVital?: boolean) => Promise<Done<T>>
  /** Lets go of the keys. */
  end(): void
}

export function createManaging(outer: CliContext, client: PanelClient): Managing {
  const stop = new AbortController()
  const keys = watchKeys(outer, () => stop.abort())
  const context = { ...outer, signal: AbortSignal.any([outer.signal, stop.signal]) }
  const ask: Managing['ask'] = async (what, asked, isVital = false) => {
    const release = keys.hold()
    const answer = await withSpinner(context, what, asked).finally(release)
    if (answer.ok) return answer
    if (answer.kind === 'aborted') throw interrupted()
    const error = panelError(answer, 'token')
    if (isVital || answer.kind === 'unauthorized') throw error
    context.output.error(error.code, error.message)
    return answer
  }
  return { context, client, ask, end: keys.end }
}

export function interrupted(): CliError {
  return new CliError('cancelled', 'cancelled')
}
