import { median } from '../median.mjs'
import { message } from './children.mjs'

const connections = 16
const warmUpMs = 2_000

/**
 * Requests per second with a credential and without, on the same route of the same panel, in turn.
 * @param headers of the credential
 */
export async function throughput({ panel, process, load, headers, pairs, milliseconds }) {
  const cpu = async () => (await message(process, 'cpuMicroseconds', { cpu: true })).cpuMicroseconds
  const rate = async (task) => {
    const before = await cpu()
    const { loaded } = await message(load, 'loaded', { connections, milliseconds, ...task })
    return { perSecond: loaded.answers / loaded.seconds, cpu: ((await cpu()) - before) / loaded.answers }
  }
  const open = { port: panel.port, path: '/bench/public' }
  const signed = { port: panel.port, path: '/bench/authenticated', headers }
  const bare = { port: panel.barePort, path: '/bench/public' }
  for (const task of [open, signed, bare]) await rate({ ...task, milliseconds: warmUpMs })
  const samples = []
  for (let index = 0; index < pairs; index++) {
    // The one that comes second alternates, so that a drift of the machine harms both.
    const order = index % 2 === 0 ? ['open', 'signed'] : ['signed', 'open']
    const sample = { bare: await rate(bare) }
    for (const which of order) sample[which] = await rate(which === 'open' ? open : signed)
    samples.push(sample)
  }
  const middle = (figure) => median(samples.map(figure))
  return {
    unit: 'requests/s',
    public: middle(({ open }) => open.perSecond),
    authenticated: middle(({ signed }) => signed.perSecond),
    ratio: middle(({ open, signed }) => signed.perSecond / open.perSecond),
    /** The panel's own, in microseconds for each request: what other processes do to the machine harms it least. */
    publicCpu: middle(({ open }) => open.cpu),
    authenticatedCpu: middle(({ signed }) => signed.cpu),
    /** The same route in an app without a kernel: no log, no metrics, no security headers. */
    bareFastify: middle(({ bare }) => bare.perSecond),
    bareFastifyCpu: middle(({ bare }) => bare.cpu),
  }
}
