// Signs in with a wrong password again and again, to accounts that exist and to others, in random order; told by IPC
// which and how often. Gives the time of every refusal in milliseconds.
import { once } from 'node:events'
import { Agent, request } from 'node:http'

async function measure({ port, known, unknown, tries, concurrency }) {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const order = shuffled([...Array(tries).fill(true), ...Array(tries).fill(false)])
  const times = { known: [], unknown: [] }
  let next = 0
  const worker = async () => {
    while (next < order.length) {
      const at = next++
      const exists = order[at]
      const emails = exists ? known : unknown
      const email = emails[at % emails.length]
      times[exists ? 'known' : 'unknown'].push(await refusal(agent, port, { email, password: 'not the password' }))
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  agent.destroy()
  return times
}

async function refusal(agent, port, body) {
  const payload = JSON.stringify(body)
  const start = process.hrtime.bigint()
  const sent = request({
    agent,
    port,
    host: '127.0.0.1',
    path: '/api/auth/login',
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) },
  })
  sent.end(payload)
  const [response] = await once(sent, 'response')
  const milliseconds = Number(process.hrtime.bigint() - start) / 1e6
  response.resume()
  await once(response, 'end')
  if (response.statusCode !== 401) throw new Error(`the panel answered ${response.statusCode}`)
  return milliseconds
}

function shuffled(values) {
  for (let at = values.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1))
    ;[values[at], values[other]] = [values[other], values[at]]
  }
  return values
}

process.on('message', async (task) => {
  process.send({ measured: await measure(task) })
})
process.send({ ready: true })
