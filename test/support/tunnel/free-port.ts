import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { event } from '../deadline.js'

const portsPerSlot = 1_250
/** Those before are the panel's to give (`panelEnvironment`). */
const firstOfSlot = 300

/**
 * A number for a program that is to have it again after a restart: free for TCP and UDP at the moment, below those that the system gives to
 * clients, and another test's in no case.
 */
export async function freePort(): Promise<number> {
  const slot = Number(process.env['SALLYPORT_TEST_SLOT'] ?? 0) % 8
  for (;;) {
    const offset = firstOfSlot + Math.floor(Math.random() * (portsPerSlot - firstOfSlot))
    const port = 20_000 + slot * portsPerSlot + offset
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const socket = createSocket('udp4')
  try {
    server.listen(port, '127.0.0.1')
    await event(server, 'listening')
    socket.bind(port, '127.0.0.1')
    await event(socket, 'listening')
    return true
  } catch {
    return false
  } finally {
    socket.close()
    await new Promise((resolve) => server.close(resolve))
  }
}
