import { createPanelClient, type PanelClient, PanelProblem, unwrap } from '@sallyport/relay/client'

/** The panel's API, on the page's own origin and with its cookie. */
export const api: PanelClient = createPanelClient()

export { PanelProblem, unwrap }

/** A refusal in words for people. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof PanelProblem)) return error instanceof Error ? error.message : String(error)
  if (error.error === 'network') return 'The panel cannot be reached. Check the connection and try again.'
  if (error.status === 429) {
    const seconds = error.retryAfterSeconds
    return seconds ? `Too many tries. Try again in ${inWords(seconds)}.` : 'Too many tries. Try again later.'
  }
  return error.detail || `The panel answered with ${error.status}.`
}

function inWords(seconds: number): string {
  if (seconds < 90) return `${seconds} seconds`
  return `${Math.ceil(seconds / 60)} minutes`
}
