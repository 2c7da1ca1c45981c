// Two network namespaces and a link between them that delays and loses packets: node link.mjs '{"delayMs", "loss"}'. The machine's own
// network is not touched, and all of it goes away with this process.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { answerCalls } from './calls.mjs'

const { delayMs, loss } = JSON.parse(process.argv[2])
const ends = ['a', 'b'].map((side, index) => ({
  inside: `sallyport-${process.pid}-${side}`,
  device: `sp${process.pid}${side}`,
  // Addresses for benchmarks (RFC 2544), seen by nobody outside these namespaces.
  address: `198.18.0.${index + 1}`,
}))
const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })

process.on('exit', () => {
  for (const { inside } of ends) {
    try {
      ip('netns', 'del', inside)
    } catch {}
  }
})
const script = new URL('tun-link.pl', import.meta.url).pathname
const link = spawn('perl', [script, ...ends.map(({ device }) => device), String(delayMs), String(loss)], {
  stdio: ['pipe', 'pipe', 'inherit'],
})
link.stdin.on('error', () => undefined)
link.once('exit', () => process.exit())
// The link ends at the end of its input, and this process with it.
const end = () => link.stdin.end()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end)
await once(link.stdout, 'data')
for (const { inside, device, address } of ends) {
  ip('netns', 'add', inside)
  ip('link', 'set', device, 'netns', inside)
  ip('-n', inside, 'addr', 'add', `${address}/30`, 'dev', device)
  ip('-n', inside, 'link', 'set', device, 'txqueuelen', '10000', 'up')
  ip('-n', inside, 'link', 'set', 'lo', 'up')
}
const [a, b] = ends.map(({ inside, address }) => ({ inside, address, bind: '0.0.0.0' }))

answerCalls(
  {
    lose(share) {
      link.stdin.write(`${share}\n`)
    },
  },
  { a, b },
  end,
)
