// Sends one request over and over on kept connections, as often as answers come; told by IPC which and for how long.
import { once } from 'node:events'
import { connect } from 'node:net'

const headEnd = Buffer.from('\r\n\r\n')

/** Gives how many answers came within the time. */
async function load({ port, path, headers = {}, connections, milliseconds }) {
  const lines = Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}`)
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  const end = performance.now() + milliseconds
  let answers = 0
  const start = performance.now()
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true })
      let rest = Buffer.alloc(0)
      socket.on('data', (data) => {
        rest = rest.length === 0 ? data : Buffer.concat([rest, data])
        const length = answerLength(rest)
        if (length === undefined || rest.length < length) return
        if (rest.length > length) return void socket.destroy(new Error('more came than was asked for'))
        rest = Buffer.alloc(0)
        answers++
        if (performance.now() < end) socket.write(request)
        else socket.end()
      })
      await once(socket, 'connect')
      socket.write(request)
      await once(socket, 'close')
    }),
  )
  return { answers, seconds: (performance.now() - start) / 1000 }
}

/** Length of the answer at the beginning of `data`, once its head is there. Anything but a 200 ends the benchmark. */
function answerLength(data) {
  const at = data.indexOf(headEnd)
  if (at === -1) return undefined
  const head = data.toString('latin1', 0, at)
  if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`the panel answered ${head.slice(0, 200)}`)
  const found = /\r\ncontent-length: (\d+)/i.exec(head)
  if (!found) throw new Error('an answer without a length')
  return at + headEnd.length + Number(found[1])
}

process.on('message', async (task) => {
  process.send({ loaded: await load(task) })
})
process.send({ ready: true })
