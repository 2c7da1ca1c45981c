import { spawnSync } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'

interface Teardown {
  teardown(handler: () => unknown): void
}

/** A network of its own behind a router, tied to this one by virtual wires; this one is the test file's own, too (see scripts/test-file.mjs). */
export interface NetworkNamespace {
  /** This side's address. */
  readonly address: string
  /** Of the machine in there, at first. */
  readonly innerAddress: string
  /** Put in front of a command, it runs in there. */
  readonly prefix: readonly [string, ...string[]]
  /** From now on packets vanish, both ways, and nobody is told. */
  cut(): void
  mend(): void
  /** The machine in there gets another address, the one before is gone, as in another network. */
  renumber(): void
}

function ip(...args: string[]): void {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}

/** Why none can be made here, or `false`. With CI the program for it must be there; what the kernel refuses is nobody's omission. */
export function withoutNetworkNamespaces(): string | false {
  if (process.env['CI'] === 'true' && spawnSync('ip', ['-V']).error) throw new Error('CI lacks iproute2')
  const name = `sp-probe-${randomBytes(3).toString('hex')}`
  try {
    ip('netns', 'add', name)
    try {
      ip('-n', name, 'link', 'add', 'name', 'probe0', 'type', 'veth', 'peer', 'name', 'probe1')
    } finally {
      ip('netns', 'del', name)
    }
    return false
  } catch (error) {
    return `network namespaces cannot be made here (root and iproute2 are needed): ${(error as Error).message}`
  }
}

const NETS = 512

/** 198.18.0.0/15 is set aside for tests (RFC 2544). */
function freeNet(): string {
  const first = randomInt(NETS)
  for (let tries = 0; tries < NETS; tries += 1) {
    const at = (first + tries) % NETS
    const net = `198.${18 + (at >> 8)}.${at & 255}`
    // What an earlier test had goes when the last process in it has gone.
    const { stdout } = spawnSync('ip', ['route', 'show', 'root', `${net}.0/24`], { encoding: 'utf8' })
    if (stdout.trim() === '') return net
  }
  throw new Error('there is no free network')
}

/** A router that stops forwarding loses packets as a broken path does, without a link going down at either end. */
export function networkNamespace(t: Teardown): NetworkNamespace {
  const id = randomBytes(3).toString('hex')
  const [inner, router, outerEnd] = [`sp-in-${id}`, `sp-rt-${id}`, `sp${id}o`]
  const net = freeNet()
  const [address, outerGate, innerGate] = [`${net}.1`, `${net}.2`, `${net}.129`]
  let last = 130
  t.teardown(() => {
    for (const name of [inner, router]) spawnSync('ip', ['netns', 'del', name])
  })
  ip('netns', 'add', router)
  ip('netns', 'add', inner)
  ip('link', 'add', 'name', outerEnd, 'type', 'veth', 'peer', 'name', 'outer', 'netns', router)
  ip('-n', router, 'link', 'add', 'name', 'inner', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', inner)
  ip('addr', 'add', `${address}/25`, 'dev', outerEnd)
  ip('-n', router, 'addr', 'add', `${outerGate}/25`, 'dev', 'outer')
  ip('-n', router, 'addr', 'add', `${innerGate}/25`, 'dev', 'inner')
  ip('link', 'set', outerEnd, 'up')
  for (const device of ['lo', 'outer', 'inner']) ip('-n', router, 'link', 'set', device, 'up')
  for (const device of ['lo', 'eth0']) ip('-n', inner, 'link', 'set', device, 'up')
  ip('route', 'add', `${net}.128/25`, 'via', outerGate)
  function number(): void {
    ip('-n', inner, 'addr', 'add', `${net}.${last}/25`, 'dev', 'eth0')
    ip('-n', inner, 'route', 'replace', 'default', 'via', innerGate)
  }
  function forward(on: boolean): void {
    ip('netns', 'exec', router, 'sh', '-c', `echo ${on ? 1 : 0} > /proc/sys/net/ipv4/ip_forward`)
  }
  number()
  forward(true)
  return {
    address,
    innerAddress: `${net}.130`,
    prefix: ['ip', 'netns', 'exec', inner],
    cut: () => forward(false),
    mend: () => forward(true),
    renumber() {
      ip('-n', inner, 'addr', 'flush', 'dev', 'eth0', 'scope', 'global')
      last += 1
      number()
    },
  }
}
