import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that systems give out by themselves, so that no other test's socket comes to have it. */
const FROM = 30_000
/** Test files that run at the same time have their own (see scripts/test.mjs). */
const PORTS_PER_SLOT = 337
const SLOTS = 8

const given: Set<number> = new Set()

/**
 * A port that nobody has, for TCP and for UDP: for what must come back on the same one, or where nobody may listen. No other test gets it while
 * this process runs, nor does this one a second time.
 */
export async function freePort(): Promise<number> {
  const slot = Number(process.env['SALLYPORT_TEST_SLOT'] ?? randomInt(SLOTS)) % SLOTS
  while (given.size < PORTS_PER_SLOT) {
    const port = FROM + slot * PORTS_PER_SLOT + randomInt(PORTS_PER_SLOT)
    if (given.has(port)) continue
    given.add(port)
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
