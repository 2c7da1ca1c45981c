import { readFile, writeFile } from 'node:fs/promises'
import t from 'tap'
import { enrolledRelay, greet } from './relay-world.js'

t.test('--state: where it keeps what it serves; what is there stays when the panel refuses', async (t) => {
  const { panel, home } = await enrolledRelay(t)
  const state = `${home.path}/kept/here.json`
  for (const expected of [0, 7]) {
    const command = home.start(['relay', '--data-port', '0', '--state', state])
    const connection = await panel.nextConnection()
    t.equal((await greet(connection)).relay.revision, expected)
    connection.send({ type: 'relay_state', revision: 7, part: 0, parts: 1, allocations: [] })
    await connection.next('relay_status')
    command.kill('SIGTERM')
    t.equal(await command.exit, 0)
  }
  const refused = home.start(['relay', '--data-port', '0', '--state', state])
  ;(await panel.nextConnection()).ws.close(4401)
  t.equal(await refused.exit, 3)
  t.match(JSON.parse(await readFile(state, 'utf8')), { version: 1 })
  await writeFile(`${home.path}/file`, '')
  await writeFile(state, '{"version":')
  const broken = home.start(['relay', '--data-port', '0', '--state', state])
  await broken.says(/^relay ready/m)
  t.match(broken.stderr(), /^error: starting without the stored state, .*kept as .*here\.json\.corrupt-/m)
  broken.kill('SIGTERM')
  t.equal(await broken.exit, 0)

  const nowhere = home.start(['relay', '--data-port', '0', '--state', `${home.path}/file/state`])
  t.equal(await nowhere.exit, 1)
  t.match(nowhere.stderr(), /error: the state cannot be kept in .*file\/state: E[A-Z]+ \(see --state\)/)
  const folder = home.start(['relay', '--data-port', '0', '--state', home.path])
  t.equal(await folder.exit, 1)
  t.match(folder.stderr(), /error: the state .* cannot be read: EISDIR/)
})
