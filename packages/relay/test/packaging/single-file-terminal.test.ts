import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { startOnTerminal, terminalMissing } from '../cli/pseudo-terminal.js'
import { approvingPanel } from './story.js'
import { BUNDLE, temporaryFolder } from './tarball.js'

t.test('alone it has what it needs on a terminal', { skip: terminalMissing }, async (t) => {
  const folder = await temporaryFolder(t, 'alone')
  const file = join(folder, 'sallyport.mjs')
  await copyFile(BUNDLE, file)
  const home = { path: folder, config: join(folder, 'agent.json') }
  const panel = await approvingPanel(t)
  const enroll = startOnTerminal(t, home, ['enroll', '--panel', panel.url, '--name', 'box'], { main: [file], rows: 50 })
  await enroll.sees(/ABCD-1234/)
  await enroll.sees(/Enrolled as box/)
  t.equal(await enroll.exit, 0)
  t.match(enroll.shown(), /[▀▄█]{5}/, 'the QR code')

  const run = startOnTerminal(t, home, ['run'], { main: [file] })
  const connection = await panel.nextConnection()
  await connection.welcome()
  connection.send({ type: 'state', revision: 1, allocations: [], relays: [] })
  await run.sees(/connected/)
  run.type('\u0003')
  t.equal(await run.exit, 0)
  t.strictSame(await run.leftovers(), [])
})
