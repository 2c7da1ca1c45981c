import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createBoard } from '../../../dist/cli/run/run-board.js'
import { tellSupervisor } from '../../../dist/cli/run/supervisor.js'
import { createFakePanel } from '../../fake-panel.js'
import { until } from '../../support.js'
import { createHome, type Home } from '../command.js'

/** Something in the place of systemd's own, that keeps what it was told. */
async function fakeSystemd(home: Home): Promise<{ env: Record<string, string>; told(): Promise<string> }> {
  const log = join(home.path, 'told')
  const command = join(home.path, 'systemd-notify')
  await writeFile(log, '')
  await writeFile(command, `#!/bin/sh\nprintf '%s;' "$@" >>${log}\necho >>${log}\n`)
  await chmod(command, 0o755)
  const env = { PATH: `${home.path}:${process.env['PATH'] ?? ''}`, NOTIFY_SOCKET: '/run/none', WATCHDOG_USEC: '600000' }
  return { env, told: () => readFile(log, 'utf8') }
}

async function says(told: () => Promise<string>, pattern: RegExp): Promise<void> {
  let text = ''
  let reading = false
  await until(() => {
    if (!reading) {
      reading = true
      void told().then((now) => {
        text = now
        reading = false
      })
    }
    return pattern.test(text)
  }, `systemd hears ${pattern}`)
}

t.test(
  'run tells systemd that it is ready once it is connected, how it stands, that it lives, that it ends',
  async (t) => {
    const panel = await createFakePanel()
    t.teardown(() => panel.close())
    const home = await createHome(t)
    await home.enrol({ panel: panel.url, token: 'header.payload.signature' })
    const { env, told } = await fakeSystemd(home)
    const command = home.start(['run'], env)
    const connection = await panel.nextConnection()
    await says(told, /WATCHDOG=1/)
    t.notMatch(await told(), /READY=1/, 'not before the panel has answered')
    await connection.welcome()
    await says(told, /READY=1;.*STATUS=connected \(http:\/\/127\.0\.0\.1:\d+\), 0 of 0 relays linked, 0 tunnels/)
    command.kill('SIGTERM')
    t.equal(await command.exit, 0)
    t.match(await told(), /STOPPING=1/)
    t.notMatch(await told(), /payload/)
  },
)

t.test('a panel that is away keeps nothing from being ready', async (t) => {
  const home = await createHome(t)
  const { env, told } = await fakeSystemd(home)
  const board = createBoard()
  board.panelState = 'lost'
  const output = { notice: (_event: string, message: string) => t.fail(message) }
  const supervisor = tellSupervisor({ env, output: output as never }, { links: () => [] }, board, 50)
  await says(told, /READY=1;.*STATUS=no connection, trying on/)
  await supervisor.stop()
})
