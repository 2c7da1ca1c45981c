import { once } from 'node:events'
import type { Plugin } from '@sallyport/core'
import * as entry from '../../dist/index.js'
import { startPanel } from './panel.js'
import type { PanelProcessMessage, PanelProcessOptions } from './panel-process.js'

/** The process that `startPanelProcess` forks. Killed when it is no longer needed, and gone with its parent. */

process.once('disconnect', () => process.exit())

type Factory = (config: object) => Plugin

const [options] = (await once(process, 'message')) as [PanelProcessOptions]
const { strategies = {}, smtpUrl, ...rest } = options
const answer = (message: PanelProcessMessage): void => void process.send?.(message)

try {
  const factories = entry as unknown as Readonly<Record<string, Factory>>
  const panel = await startPanel({ teardown: () => undefined } as never, {
    ...rest,
    users: entry.directory(),
    strategies: Object.entries(strategies).map(([name, config]) => {
      const factory = factories[name]
      if (!factory) throw new Error(`there is no strategy ${name}`)
      return factory(config)
    }),
    ...(smtpUrl !== undefined && { mailer: entry.mail({ url: smtpUrl }) }),
  })
  answer({ url: panel.url })
} catch (error) {
  answer({ error: String(error) })
  process.disconnect()
}
