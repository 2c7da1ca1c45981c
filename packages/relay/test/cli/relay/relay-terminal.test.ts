import t from 'tap'
import { createFakePanel } from '../../fake-panel.js'
import { createHome } from '../command.js'
import { Keys, startOnTerminal, terminalMissing } from '../pseudo-terminal.js'
import { RELAY_ID, TOKEN, welcome } from './relay-world.js'

t.test(
  'on a terminal: one process to see, over an upgrade too; Ctrl-C ends all',
  { skip: terminalMissing, timeout: 60_000 },
  async (t) => {
    const panel = await createFakePanel()
    t.teardown(() => panel.close())
    const home = await createHome(t)
    await home.enrol({ panel: panel.url, token: TOKEN, deviceId: RELAY_ID })
    const command = startOnTerminal(t, home, ['relay', '--data-port', '0'])
    await command.sees(/relay ready/)
    await welcome(panel)
    await command.sees(/serving 0 tunnels/)
    await command.kill('SIGHUP')
    await command.sees(/serves now, as process \d+/)
    await welcome(panel)
    await command.sees(/serving 0 tunnels/)
    command.type(Keys.interrupt)
    await command.sees(/stopping/)
    t.equal(await command.exit, 0)
    t.same(await command.leftovers(), [])
  },
)
