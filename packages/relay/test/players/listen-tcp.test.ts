import { createServer } from 'node:net'
import t from 'tap'
import { listenTcp } from '../../dist/players/listen-tcp.js'
import { dial } from '../support.js'

t.test('errors of accept do not close the port and are told once in a while', async (t) => {
  const server = createServer()
  let told = 0
  const port = await listenTcp(server, { host: '127.0.0.1', port: 0 }, () => {
    told += 1
  })
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  for (let n = 0; n < 100; n += 1) server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
  t.equal(told, 1)
  const socket = await dial(t, port)
  t.ok(socket.remotePort)
  socket.destroy()
})

t.test('a taken port is named', async (t) => {
  const server = createServer()
  const port = await listenTcp(server, { host: '127.0.0.1', port: 0 }, () => {})
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  await t.rejects(
    listenTcp(createServer(), { host: '127.0.0.1', port }, () => {}),
    { code: 'EADDRINUSE' },
  )
})

t.test('closed while binding, nothing is left open', async (t) => {
  const server = createServer()
  const listening = listenTcp(server, { host: '127.0.0.1', port: 0 }, () => {})
  server.close()
  await t.rejects(listening, { message: 'closed while binding' })
  t.notOk(server.listening)
})
