import { accessSync, constants } from 'node:fs'
import { missing } from '../systems/found.mjs'

/** Why there can be no link with delay or loss here. */
export function linkMissing() {
  if (process.getuid() !== 0) return 'network namespaces need root'
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
  } catch {
    return 'no /dev/net/tun'
  }
  return missing('ip', 'perl')
}

/** Two sides, `a` and `b`, with a link between them: each packet takes `delayMs`, and is lost with probability `loss`. */
export async function startLink(stage, { delayMs = 0, loss = 0 } = {}) {
  const link = await stage.start('link', [{ delayMs, loss }])
  return { ...link.ready, lose: (share) => link.ask('lose', share) }
}
