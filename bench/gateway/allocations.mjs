import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '@sallyport/core/testing'
import { ask, createScene } from './panels.mjs'

const width = 32
const deviceCount = 50

/** Allocations through the API of one panel, its relay binding each port, against the bare rows that they leave. */
export async function allocations({ allocations: count, embedded }) {
  const scene = createScene()
  const dataDir = await mkdtemp(join(tmpdir(), 'sallyport-bench-'))
  try {
    const where = embedded ? { dataDir } : { databaseUrl: scene.use(await startPostgres()).url }
    const panel = await scene.panel({ ...where, relay: true, portRange: { from: 10_000, to: 30_000 } })
    const { devices } = await ask(panel.child, 'devices', {
      makeDevices: { count: deviceCount, withAllocations: false },
    })
    const { token } = await ask(panel.child, 'token', { login: true })
    await patchQuotas(panel.port, token)
    const ids = devices.map(({ id }) => id)
    await allocate(panel.port, devices, Math.ceil(count / 10))
    const bareBefore = await insert(panel.child, count, ids)
    const perSecond = await allocate(panel.port, devices, count)
    const bareAfter = await insert(panel.child, count, ids)
    const bare = Math.max(bareBefore, bareAfter)
    // A server's own files are written without fsync, as tests do.
    return {
      unit: `allocations/s, ${width} at once`,
      count,
      throughTheApi: perSecond,
      bareInserts: bare,
      ratio: perSecond / bare,
    }
  } finally {
    await scene.close()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function insert(child, count, devices) {
  return (await ask(child, 'insertedPerSecond', { insert: { count, width, devices } })).insertedPerSecond
}

async function allocate(port, devices, count) {
  const agent = new Agent({ keepAlive: true, maxSockets: width })
  let next = 0
  const start = performance.now()
  const worker = async () => {
    while (next < count) {
      const { token } = devices[next++ % devices.length]
      const body = JSON.stringify({ localPort: 25_565, protocol: 'tcp' })
      const { status, text } = await send({ agent, port, method: 'POST', path: '/api/tunnel/allocations', token, body })
      if (status !== 201) throw new Error(`allocating: ${status} ${text}`)
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  const perSecond = (count * 1_000) / (performance.now() - start)
  agent.destroy()
  return perSecond
}

async function patchQuotas(port, token) {
  const body = JSON.stringify({ quotas: { allocationsPerUser: 1_000_000, allocationsPerOrganisation: 1_000_000 } })
  const { status, text } = await send({ port, method: 'PATCH', path: '/api/settings', token, body })
  if (status !== 200) throw new Error(`quotas: ${status} ${text}`)
}

function send({ agent, port, method, path, token, body }) {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }
    const sent = request({ agent, host: '127.0.0.1', port, method, path, headers }, (response) => {
      response.setEncoding('utf8')
      let text = ''
      response.on('data', (piece) => {
        text += piece
      })
      response.on('end', () => resolve({ status: response.statusCode, text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
