import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createFakePanel, type FakePanel } from '../fake-panel.js'
import { freePort } from '../free-port.js'
import { DEVICE, dial, doorOf, readBytes, startEcho, startRelay, startUdpEcho, udpSocket, within } from '../support.js'
import { start } from './program.js'

const TOKEN = 'header.payload-very-secret.signature'

/** A panel that approves whoever asks. */
export async function approvingPanel(t: Test): Promise<FakePanel> {
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  panel.routes.set('POST /api/tunnel/device/start', () => ({
    body: {
      deviceCode: 'device-code-very-secret-0123456789',
      userCode: 'ABCD-1234',
      verificationUri: `${panel.url}/device`,
      verificationUriComplete: `${panel.url}/device?user_code=ABCD-1234`,
      expiresAt: new Date(Date.now() + 600_000).toISOString(),
      interval: 0.1,
    },
  }))
  panel.routes.set('GET /api/tunnel/device/poll', () => ({ body: { approved: true, token: TOKEN } }))
  return panel
}

/**
 * Enrols, runs, and has a player of each protocol served.
 * @param sallyport the command, as it stands before its arguments
 * @param folder where it is started, and its home
 */
export async function enrolRunAndPlay(t: Test, sallyport: readonly string[], folder: string): Promise<void> {
  const options = { cwd: folder, env: { PATH: process.env['PATH'] ?? '', HOME: folder } }
  const panel = await approvingPanel(t)
  const enroll = start(t, [...sallyport, 'enroll', '--panel', panel.url], options)
  t.equal(await enroll.exit, 0, 'enrolled')
  t.match(enroll.stdout(), /ABCD-1234/)
  const saved = JSON.parse(await readFile(join(folder, '.config/sallyport/agent.json'), 'utf8'))
  t.match(saved, { panel: panel.url, token: TOKEN })

  const relay = await startRelay(t, { id: 'eu1' })
  const [tcp, udp] = [await freePort(), await freePort()]
  const [tcpEcho, udpEcho] = [await startEcho(t), await startUdpEcho(t)]
  const own = { deviceId: DEVICE }
  await relay.apply({
    revision: 1,
    allocations: [
      { ...own, id: 1, protocol: 'tcp', port: tcp, target: { host: '127.0.0.1', port: tcpEcho.port } },
      { ...own, id: 2, protocol: 'udp', port: udp, target: { host: '127.0.0.1', port: udpEcho.port } },
    ],
  })
  const run = start(t, [...sallyport, 'run', '--json'], options)
  const connection = await panel.nextConnection()
  t.equal(connection.headers.authorization, `Bearer ${TOKEN}`)
  const hello = await connection.next('hello')
  t.match(hello, { version: await packedVersion() }, 'the panel is told the version')
  connection.send({ type: 'welcome', protocol: 1, deviceId: DEVICE, name: 'box', heartbeatMs: 5_000 })
  const relays = [{ ...doorOf(relay), ticket: relay.issueTicket(DEVICE) }]
  connection.send({ type: 'state', revision: 1, allocations: [], relays })
  await run.says(/linked to relay eu1/)

  const player = await dial(t, tcp)
  player.write('hello')
  t.equal(String(await readBytes(player, 5)), 'hello', 'a TCP player is served')
  const gamer = await udpSocket(t)
  gamer.send('hello', udp, '127.0.0.1')
  const [answer] = await within(once(gamer, 'message'), 'an answer to the datagram')
  t.equal(String(answer), 'hello', 'a UDP player is served')

  run.kill('SIGTERM')
  t.equal(await run.exit, 0, 'ended')
  t.equal(run.stderr().includes(TOKEN), false)
}

async function packedVersion(): Promise<string> {
  const manifest = new URL('../../package.json', import.meta.url)
  return JSON.parse(await readFile(manifest, 'utf8')).version
}
