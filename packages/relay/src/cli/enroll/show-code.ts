import type { CliContext } from '../context.js'
import type { EnrolmentStart } from '../panel/panel-answers.js'
import { oneLine } from '../terminal/output.js'
import { startSpinner } from '../terminal/spinner.js'
import { styleFor } from '../terminal/style.js'
import { canRedraw, showsUnicode } from '../terminal/terminal.js'

/** Longer ones are no use of a panel's; this machine's clock is wrong then. */
const MAX_TOLD_MS = 3_600_000
/** Lines around the QR code that are to stay in sight. */
const LINES_AROUND_QR = 8

/** Says which code is to be approved and where; on a terminal that has room for it with a QR code of the link. */
export async function showCode(context: CliContext, start: EnrolmentStart, lifetimeMs: number): Promise<void> {
  const { output, stdout, env } = context
  const { userCode, verificationUri, expiresAt } = start
  const link = start.verificationUriComplete ?? verificationUri
  if (output.json) {
    const fields = { userCode, verificationUri, link, expiresAt: new Date(expiresAt).toISOString() }
    output.event('code', `approve ${userCode} at ${link}`, fields)
    return
  }
  const minutes = Math.max(1, Math.round(lifetimeMs / 60_000))
  const good = isTold(lifetimeMs) ? ` (good for about ${minutes} min)` : ''
  output.event('code', `Have an administrator approve this code${good}:`)
  if (!canRedraw(context, stdout)) {
    output.event('code', `    code  ${userCode}`)
    output.event('code', `    link  ${link}`)
    output.event('code', 'Waiting for the approval ...')
    return
  }
  const style = styleFor(stdout, env)
  const lines = ['', `    code  ${style.bold(userCode)}`, `    link  ${style.cyan(oneLine(link))}`, '']
  if (showsUnicode(env)) {
    const { qrCode } = await import('./qr-code.js')
    const rows = (stdout.rows ?? 0) - LINES_AROUND_QR
    const code = await qrCode(link, { stream: stdout, env, rows })
    if (code !== undefined) lines.push(...code.map((line) => `    ${line}`), '')
  }
  for (const line of lines) stdout.write(`${line}\n`)
}

/** A turning line with the time that is left; call what it gives to end it. */
export function startWaiting(context: CliContext, lifetimeMs: number): () => void {
  const deadline = performance.now() + lifetimeMs
  const left = () => (isTold(lifetimeMs) ? `, ${showTime(deadline - performance.now())} left` : '')
  return startSpinner(context, { text: () => `Waiting for the approval${left()} (Ctrl-C cancels)` })
}

function isTold(lifetimeMs: number): boolean {
  return lifetimeMs > 0 && lifetimeMs <= MAX_TOLD_MS
}

/** Minutes and seconds. */
function showTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
