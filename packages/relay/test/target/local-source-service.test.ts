import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { localSourceFor } from '../../dist/target/local-source.js'
import { readBytes, startService, startTunnel, udpSocket, until, within } from '../support.js'

const linux = { skip: process.platform === 'linux' ? false : 'other systems have no 127.0.0.0/8' }
const PLAYERS = ['127.0.0.2', '127.0.0.3', '127.0.0.2']

t.test('a TCP service on 127.0.0.1 tells its players apart, unless all are to look the same', linux, async (t) => {
  const seen: (string | undefined)[] = []
  const { port: target } = await startService(t, (socket) => {
    seen.push(socket.remoteAddress)
    socket.write('x')
  })
  for (const localSource of ['distinct', 'shared'] as const) {
    const { port } = await startTunnel(t, target, { agent: { localSource } })
    for (const localAddress of PLAYERS) {
      const player = connect({ port, host: '127.0.0.1', localAddress })
      t.teardown(() => player.destroy())
      await within(once(player, 'connect'), 'connect')
      await readBytes(player, 1)
    }
  }
  t.same(seen, [...PLAYERS.map(localSourceFor), '127.0.0.1', '127.0.0.1', '127.0.0.1'])
})

t.test('and so does a UDP service', linux, async (t) => {
  const target = await udpSocket(t)
  const seen: string[] = []
  target.on('message', (payload, from) => {
    seen.push(`${payload} ${from.address}`)
    target.send('x', from.port, from.address)
  })
  for (const localSource of ['distinct', 'shared'] as const) {
    const { port } = await startTunnel(t, target.port, { agent: { localSource }, allocation: { protocol: 'udp' } })
    for (const [index, address] of PLAYERS.entries()) {
      const player = createSocket('udp4').bind(0, address)
      t.teardown(() => player.close())
      await once(player, 'listening')
      let answered = false
      player.on('message', () => {
        answered = true
      })
      const name = `${localSource}-${index}`
      await until(() => {
        player.send(name, port, '127.0.0.1')
        return answered
      })
    }
  }
  const sourcesOf = (name: string) =>
    new Set(seen.filter((line) => line.startsWith(name)).map((line) => line.split(' ')[1]))
  for (const [index, address] of PLAYERS.entries()) {
    t.same(sourcesOf(`distinct-${index}`), new Set([localSourceFor(address)]))
    t.same(sourcesOf(`shared-${index}`), new Set(['127.0.0.1']))
  }
})
