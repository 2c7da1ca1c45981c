import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Service, relay and agent, each a process of its own on loopback. Gives the ports with and without the tunnel. */
export async function setUp() {
  const children = []
  const start = (name, ...args) => {
    const child = fork(new URL(`processes/${name}.mjs`, import.meta.url), args, { stdio: ['ignore', 2, 2, 'ipc'] })
    children.push(child)
    return child
  }
  const close = async () => {
    await Promise.all(
      children.map((child) => {
        child.kill('SIGKILL')
        return child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
      }),
    )
  }
  try {
    const service = await message(start('service'), 'tcp')
    const relayProcess = start('relay')
    const { dataPort, ticket } = await message(relayProcess, 'dataPort')
    const agent = start('agent', dataPort)
    agent.send({ ticket })
    await message(relayProcess, 'connected')
    const [tcp, udp] = [await freePort(), await freePort()]
    const allocation = (id, protocol, port, local) => ({
      id,
      deviceId: 'bench',
      protocol,
      port,
      target: { host: '127.0.0.1', port: local },
    })
    relayProcess.send({ allocations: [allocation(1, 'tcp', tcp, service.tcp), allocation(2, 'udp', udp, service.udp)] })
    await message(relayProcess, 'applied')
    const pids = { relay: relayProcess.pid, agent: agent.pid }
    return { direct: service, tunnel: { tcp, udp }, pids, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The next message of a child that has `key`. */
function message(child, key) {
  return new Promise((resolve, reject) => {
    const onMessage = (value) => {
      if (!(key in value)) return
      child.off('message', onMessage)
      resolve(value)
    }
    child.on('message', onMessage)
    child.once('exit', (code) => reject(new Error(`a process of the benchmark ended with ${code}`)))
  })
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
