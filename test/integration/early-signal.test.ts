// A signal that comes while the program is still loading: exit 0 all the same, and nothing made.
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { within } from '../support/deadline.js'
import { panelEnvironment, serverFile, temporaryDirectory } from '../support/panel.js'
import { startProgram } from '../support/program.js'

/** Loaded before the server: sends the signal as soon as somebody listens for it. */
const sender = (signal: string): string =>
  `data:text/javascript,${encodeURIComponent(
    `process.on('newListener', (name) => { if (name === '${signal}') setImmediate(() => process.kill(process.pid, name)) })`,
  )}`

t.test('a signal during loading ends the start', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    const dataDir = join(await temporaryDirectory(t), 'data')
    const program = startProgram(process.execPath, ['--import', sender(signal), serverFile], {
      env: panelEnvironment(dataDir),
    })
    t.match(await within(`the end by ${signal}`, program.exited), { code: 0, signal: null }, signal)
    t.equal(program.stdout, '')
    t.equal(program.stderr, '')
    await t.rejects(access(dataDir), 'nothing was written')
  }
})
