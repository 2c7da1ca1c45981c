import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { within } from '../support.js'
import { type Door, visit } from './players.js'
import { startWorld } from './world.js'

/** Where a successor says how its start went; it lives until the test is over. */
async function ear(t: Test): Promise<{ port: number; said: Promise<string> }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const said = once(server, 'connection').then(async ([socket]: Socket[]) => {
    t.teardown(() => socket?.destroy())
    const [bytes] = await once(socket as Socket, 'data')
    return String(bytes)
  })
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  return { port: (server.address() as AddressInfo).port, said: within(said, 'the successor') }
}

async function isFree({ tcp, udp }: { tcp: Door; udp: Door }): Promise<boolean> {
  const server = createServer().listen(tcp.port, tcp.host)
  await once(server, 'listening')
  await new Promise((resolve) => server.close(resolve))
  const socket = createSocket('udp4').bind(udp.port, udp.host)
  await once(socket, 'listening')
  await new Promise<void>((resolve) => socket.close(resolve))
  return true
}

for (const killedAfter of ['offer', 'state', 'socket', 'ready', 'commit'])
  t.test(`when the process before is killed after '${killedAfter}'`, { timeout: 30_000 }, async (t) => {
    const { port, said } = await ear(t)
    const { line, tcp, udp } = await startWorld(t, { killedAfter })
    await t.rejects(line.ask(0, 'handOver', { reportTo: port }), /the program ended/)
    if (killedAfter === 'commit') {
      t.equal(await said, 'serves')
      t.equal(await visit(t, tcp), 100, 'the successor serves')
    } else {
      t.equal(await said, 'RELAY_ERR_HANDOVER_FAILED')
      t.ok(await isFree({ tcp, udp }), 'nothing is left open')
    }
  })
