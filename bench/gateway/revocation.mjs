import { once } from 'node:events'
import { startPostgres, startRedis } from '@sallyport/core/testing'
import { WebSocket } from 'ws'
import { quantile } from './figures.mjs'
import { ask, createScene } from './panels.mjs'

const hello = JSON.stringify({ type: 'hello', protocol: 1, version: 'bench', platform: 'bench' })
const revoked = 4403

/** From a request to one panel that ends a token to the closed socket at another, one after the other. */
export async function revocation({ revocations }) {
  const scene = createScene()
  try {
    const [postgres, redis] = [scene.use(await startPostgres()), scene.use(await startRedis())]
    const config = { databaseUrl: postgres.url, redisUrl: redis.url }
    const a = await scene.panel(config)
    const b = await scene.panel(config)
    const { devices } = await ask(a.child, 'devices', { makeDevices: { count: revocations, withAllocations: false } })
    const { token } = await ask(a.child, 'token', { login: true })
    const sockets = []
    for (const device of devices) sockets.push(await open(b.port, device.token))
    const [toClose, toAnswer] = [[], []]
    for (const [index, { id }] of devices.entries()) {
      const closed = once(sockets[index], 'close').then(([code]) => ({ code, at: performance.now() }))
      const start = performance.now()
      const response = await fetch(`http://127.0.0.1:${a.port}/api/tunnel/devices/${id}/regenerate-token`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      })
      if (!response.ok) throw new Error(`revoking: ${response.status} ${await response.text()}`)
      await response.arrayBuffer()
      toAnswer.push(performance.now() - start)
      const { code, at } = await closed
      if (code !== revoked) throw new Error(`the channel was closed with ${code}`)
      toClose.push(at - start)
    }
    return {
      unit: 'ms, from the request at one panel',
      revocations,
      closedElsewhereP50: quantile(toClose, 0.5),
      closedElsewhereP99: quantile(toClose, 0.99),
      closedElsewhereMax: Math.max(...toClose),
      answeredP50: quantile(toAnswer, 0.5),
      answeredP99: quantile(toAnswer, 0.99),
    }
  } finally {
    await scene.close()
  }
}

async function open(port, token) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/tunnel/ws`, {
    headers: { authorization: `Bearer ${token}` },
  })
  await once(socket, 'open')
  const welcomed = once(socket, 'message')
  socket.send(hello)
  await welcomed
  return socket
}
