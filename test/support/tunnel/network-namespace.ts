import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'

/** A network of its own, tied to this one by a pair of virtual wires that can lose everything. */
export interface NetworkNamespace {
  /** This side's address. */
  readonly address: string
  /** Put in front of a command, it runs in there. */
  readonly prefix: readonly string[]
  /** From now on packets vanish, both ways, and nobody is told. */
  cut(): void
  mend(): void
}

function ip(...args: string[]): void {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}

/** Why none can be made here, or `false`. */
export function withoutNetworkNamespaces(): string | false {
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
    return `network namespaces cannot be made here (${(error as Error).message})`
  }
}

/**
 * Three namespaces in a row would be a network; two are enough here: a router that stops forwarding loses packets as a broken path
 * does, without a link going down at either end.
 */
export function networkNamespace(t: Test): NetworkNamespace {
  const id = randomBytes(3).toString('hex')
  const [inner, router] = [`sp-in-${id}`, `sp-rt-${id}`]
  const [outerEnd, routerOuter, routerInner, innerEnd] = [`sp${id}o`, 'outer', 'inner', 'eth0']
  // 198.18.0.0/15 is set aside for tests (RFC 2544).
  const net = `198.${18 + ((randomBytes(1)[0] as number) % 2)}.${randomBytes(1)[0]}`
  const [address, outerGate, innerGate, innerAddress] = [1, 2, 129, 130].map((last) => `${net}.${last}`) as [
    string,
    string,
    string,
    string,
  ]
  t.teardown(() => {
    for (const name of [inner, router]) spawnSync('ip', ['netns', 'del', name])
  })
  ip('netns', 'add', router)
  ip('netns', 'add', inner)
  ip('link', 'add', 'name', outerEnd, 'type', 'veth', 'peer', 'name', routerOuter, 'netns', router)
  ip('-n', router, 'link', 'add', 'name', routerInner, 'type', 'veth', 'peer', 'name', innerEnd, 'netns', inner)
  ip('addr', 'add', `${address}/25`, 'dev', outerEnd)
  ip('-n', router, 'addr', 'add', `${outerGate}/25`, 'dev', routerOuter)
  ip('-n', router, 'addr', 'add', `${innerGate}/25`, 'dev', routerInner)
  ip('-n', inner, 'addr', 'add', `${innerAddress}/25`, 'dev', innerEnd)
  ip('link', 'set', outerEnd, 'up')
  for (const device of ['lo', routerOuter, routerInner]) ip('-n', router, 'link', 'set', device, 'up')
  for (const device of ['lo', innerEnd]) ip('-n', inner, 'link', 'set', device, 'up')
  ip('-n', inner, 'route', 'add', 'default', 'via', innerGate)
  ip('route', 'add', `${net}.128/25`, 'via', outerGate)
  const forward = (on: boolean): void => {
    const command = `echo ${on ? 1 : 0} > /proc/sys/net/ipv4/ip_forward`
    ip('netns', 'exec', router, 'sh', '-c', command)
  }
  forward(true)
  return {
    address,
    prefix: ['ip', 'netns', 'exec', inner],
    cut: () => forward(false),
    mend: () => forward(true),
  }
}
