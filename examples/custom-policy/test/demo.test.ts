import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { until } from './support/until.js'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const relayProgram = fileURLToPath(new URL('../dist/relay.js', import.meta.url))

function run(t: Test, file: string, args: string[] = []) {
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, [file, ...args], { env: { PATH } })
  const said = { out: '', err: '' }
  child.stdout.on('data', (chunk) => {
    said.out += chunk
  })
  child.stderr.on('data', (chunk) => {
    said.err += chunk
  })
  const code = new Promise<number | null>((resolve) => child.once('close', resolve))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await code
  })
  return { child, said, code }
}

t.test('the demonstration says what was decided and why, and stays when asked to, until a signal', async (t) => {
  const { child, said, code } = run(t, main, ['--stay'])
  const [, url = ''] = await until('the panel', () => /The panel stays at (\S+):/.exec(said.out))
  for (const line of [
    'relay for bob (free, eu): eu-1 (of 3, seen from eu: region eu, 0 players; 1 premium left out, for the plan is free)',
    '-> 403 allocation_refused: The allocation is refused: the plan free has tcp only, not udp',
    'connection for 127.0.0.1: no (the plan free has 2 players at once)',
    '127.0.0.1 left (end, after',
    'connection for 127.0.0.1: no (banned by 127.0.0.0/8: cheats)',
    '-> us-1:',
    '-> 503 no_relay_available',
  ]) {
    t.ok(said.out.includes(line), line)
  }
  t.equal((await fetch(`${url}/api/health/ready`)).status, 200)
  child.kill('SIGTERM')
  t.equal(await code, 0, said.err)
})

t.test('it is interrupted at any moment', async (t) => {
  // While the first relay is made, and while the next one is.
  for (const line of ['Relays:', 'eu-1 (']) {
    const { child, said, code } = run(t, main)
    await until(line, () => said.out.includes(line))
    child.kill('SIGINT')
    t.equal(await code, 0, said.err)
    t.equal(said.err, '')
  }
})

t.test('wrong usage is 2', async (t) => {
  for (const [file, args] of [
    [main, ['--what']],
    [relayProgram, []],
  ] as const) {
    const { said, code } = run(t, file, [...args])
    t.equal(await code, 2)
    t.match(said.err, /^[^\n]+\n$/)
  }
})
