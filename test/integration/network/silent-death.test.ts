// A path that loses every packet tells nobody: both ends find out by themselves, and are together again when it is mended.
import { mkdir, writeFile } from 'node:fs/promises'
import { join as joinPath } from 'node:path'
import t from 'tap'
import { networkNamespace, withoutNetworkNamespaces } from '../../../packages/relay/dist-test/network/namespace.js'
import { cliFile } from '../../support/agent.js'
import { api, signIn } from '../../support/api.js'
import { until } from '../../support/deadline.js'
import { panelEnvironment, startPanel, temporaryDirectory } from '../../support/panel.js'
import { startProgram } from '../../support/program.js'
import { join } from '../../support/tunnel/players.js'

const noticedWithinMs = 10_000
/** The longest wait between two tries, and what else it takes. */
const backWithinMs = 40_000

const echoProgram = `
  const server = require('node:net').createServer((socket) => socket.on('error', () => undefined).pipe(socket))
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))`

t.test('a control channel that dies silently', { skip: withoutNetworkNamespaces() }, async (t) => {
  const network = networkNamespace(t)
  const directory = await temporaryDirectory(t)
  const { address } = network
  const panel = await startPanel(
    t,
    panelEnvironment(joinPath(directory, 'data'), {
      HOST: '0.0.0.0',
      RELAY_BIND_HOST: '0.0.0.0',
      RELAY_PUBLIC_HOST: address,
    }),
  )
  const url = `http://${address}:${new URL(panel.url).port}`
  const admin = await signIn(panel.url)
  const started = await admin.ok<Record<string, string>>('POST', '/api/tunnel/device/start', { name: 'far away' })
  await admin.ok('POST', '/api/tunnel/device/approve', { userCode: started['userCode'] })
  const { token } = await admin.ok<{ token: string }>(
    'GET',
    `/api/tunnel/device/poll?deviceCode=${started['deviceCode']}`,
  )
  const isOnline = async () =>
    (await admin.ok<{ devices: { online: boolean }[] }>('GET', '/api/tunnel/devices')).devices.some(
      ({ online }) => online,
    )

  const config = joinPath(directory, 'home', 'agent.json')
  await mkdir(joinPath(directory, 'home'))
  await writeFile(config, JSON.stringify({ panel: url, token }), { mode: 0o600 })
  const [command = 'ip', ...prefix] = network.prefix
  const agent = startProgram(command, [...prefix, process.execPath, cliFile, 'run', '--json', '--config', config])
  t.teardown(() => agent.stop('SIGKILL'))
  await until('the agent', isOnline)
  const said = () => agent.stdout + agent.stderr
  const service = startProgram(command, [...prefix, process.execPath, '-e', echoProgram])
  t.teardown(() => service.stop('SIGKILL'))
  const [, localPort] = await service.line(/^(\d+)$/m)
  const body = { localPort: Number(localPort), protocol: 'tcp' }
  const { allocation } = await api(url, token).ok<{ allocation: { port: number } }>(
    'POST',
    '/api/tunnel/allocations',
    body,
  )
  const playerEchoes = () =>
    until('a player’s echo', async () => {
      const player = await join(t, allocation.port)
      await player.echo('hello')
      player.socket.destroy()
      return true
    })
  await playerEchoes()

  for (const round of ['once', 'and again']) {
    const saidBefore = said().length
    network.cut()
    const cut = performance.now()
    await until(`${round}: the panel notices`, async () => !(await isOnline()), noticedWithinMs)
    t.comment(`${round}: the panel noticed after ${Math.round(performance.now() - cut)} ms`)
    await until(
      `${round}: the agent notices`,
      () => /disconnected|lost|timeout/i.test(said().slice(saidBefore)),
      noticedWithinMs,
    )
    t.comment(`${round}: the agent had noticed after ${Math.round(performance.now() - cut)} ms`)
    network.mend()
    const mended = performance.now()
    await until(`${round}: the agent is back`, isOnline, backWithinMs)
    t.comment(`${round}: the agent was back after ${Math.round(performance.now() - mended)} ms`)
    await playerEchoes()
    t.comment(`${round}: players came through after ${Math.round(performance.now() - mended)} ms`)
    t.equal(agent.child.exitCode, null)
  }
})
