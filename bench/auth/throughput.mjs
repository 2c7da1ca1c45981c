import { median } from '../measures.mjs'
import { message } from './children.mjs'

const connections = 16
const warmUpMs = 2_000

/**
 * Requests per second with a credential and without, on the same route of the same panel, in turn.
 * @param headers of the credential
 */
export async function throughput({ panel, load, headers, pairs, milliseconds }) {
  const rate = async (task) => {
    const { loaded } = await message(load, 'loaded', { connections, milliseconds, ...task })
    return loaded.answers / loaded.seconds
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
  return {
    unit: 'requests/s',
    bareFastify: median(samples.map((sample) => sample.bare)),
    public: median(samples.map((sample) => sample.open)),
    authenticated: median(samples.map((sample) => sample.signed)),
    ratio: median(samples.map(({ open, signed }) => signed / open)),
    ratioToBareFastify: median(samples.map(({ bare, signed }) => signed / bare)),
  }
}
