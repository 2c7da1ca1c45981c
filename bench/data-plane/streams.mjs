import { peers } from '../systems/systems.mjs'
import { atLeast, betterNginx, medians, pairedRatio } from './compare.mjs'
import { interleaved, lineUp } from './line-up.mjs'

const stream = (call, about) => ({
  about,
  async run(context) {
    const { quick } = context
    const { players } = await lineUp(context, ['direct', 'plain', 'tls', 'nginx', 'nginx-64k', ...peers])
    const sample = ({ load, host, tcp }) => load.ask(call, { host, port: tcp, ms: quick ? 200 : 1_000 })
    // The first is for the just-in-time compiler and the sockets' buffers to grow.
    await interleaved(players, 1, sample)
    const samples = betterNginx(await interleaved(players, quick ? 3 : 7, sample), 'higher')
    return [
      {
        title: about,
        unit: 'Gbit/s',
        better: 'higher',
        values: medians(samples),
        goals: [
          atLeast(pairedRatio(samples, 'plain', 'nginx'), 1.5, 'plain ≥ 1.5 × nginx'),
          atLeast(pairedRatio(samples, 'plain', 'direct'), 0.5, 'plain ≥ 0.5 × direct'),
          atLeast(pairedRatio(samples, 'tls', 'plain'), 0.5, 'TLS ≥ 0.5 × plain'),
        ],
      },
    ]
  },
})

export const streamUp = stream('streamUp', 'one TCP stream from the player')
export const streamDown = stream('streamDown', 'one TCP stream to the player')
