import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { startGame } from '../dist/game.js'
import { chatOnce, moveOnce } from './support/players.js'
import { folder, run } from './support/program.js'

t.test('the lines of the README do what it says', async (t) => {
  const game = await startGame()
  t.teardown(() => game.close())
  const readme = await readFile(join(folder, 'README.md'), 'utf8')
  const [, lines = ''] = /```js\n(.*?)```/s.exec(readme) ?? []
  t.ok(lines.trim().split('\n').length <= 15, 'so few lines')
  // Beside the example, where its dependencies are found.
  const directory = await mkdtemp(join(folder, 'dist-test', 'readme-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const own = lines
    .replaceAll('25565', String(game.tcpPort))
    .replaceAll('19132', String(game.udpPort))
    .replace('7350', '0')
    .replace('./relay.json', join(directory, 'relay.json'))
  t.not(own, lines)
  await writeFile(join(directory, 'snippet.mjs'), own)
  const program = run(t, join(directory, 'snippet.mjs'))
  await program.line(/udp/)
  const ports = [...program.output.matchAll(/port: (\d+)/g)].map(([, port]) => Number(port))
  const [tcp = 0, udp = 0] = ports
  t.match(await chatOnce(tcp, 'as written'), /welcome/)
  t.equal(await moveOnce(udp, '3,3'), 'at 3,3')
  t.equal(program.errors, '')
})
