import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that systems give out by themselves, so that no other test's socket comes to have it. */
const FROM = 30_000
const TO = 32_700
const TRIES = 100

/** A port that nobody has, for TCP and for UDP: for what must come back on the same one, or where nobody may listen. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(FROM, TO)
    if ((await isFreeForTcp(port)) && (await isFreeForUdp(port))) return port
  }
  throw new Error('there is no free port')
}

async function isFreeForTcp(port: number): Promise<boolean> {
  const server = createServer().listen(port)
  const free = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  if (free) await new Promise((resolve) => server.close(resolve))
  return free
}

async function isFreeForUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp6').bind(port)
  const free = await once(socket, 'listening').then(
    () => true,
    () => false,
  )
  socket.close()
  return free
}
