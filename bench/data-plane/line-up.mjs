import { systems } from '../systems/systems.mjs'

export const loopback = { bind: '127.0.0.1', address: '127.0.0.1', inside: undefined }
/** For a system to carry its first player. */
const READY_MS = 15_000

/**
 * Starts the service and these systems in front of it, each with players of its own in a process of their own. Systems that are not
 * there, or do not come up, are left out and said so. Gives `{ name, host, tcp, udp, resident, load }` for each, and the service.
 */
export async function lineUp(context, names, { relaySide = loopback, agentSide = loopback, protocol = 'tcp' } = {}) {
  const { stage, module, skip } = context
  const service = await stage.start('service', [{ host: agentSide.bind }], agentSide)
  const target = { ...service.ready, address: agentSide.address }
  const players = []
  for (const name of names) {
    const { title, missing, start } = systems[name]
    const why = missing()
    if (why) skip(title, why)
    else {
      try {
        const system = await start({ stage, relaySide, agentSide, target, module })
        if (system.note) skip(title, system.note)
        const load = await stage.start('load', [], relaySide)
        if (protocol === 'tcp') await load.ask('awaitEcho', { host: system.host, port: system.tcp, ms: READY_MS })
        players.push({ name, load, ...system })
      } catch (error) {
        if (['plain', 'tls', 'direct'].includes(name)) throw error
        skip(title, `did not start: ${error.message}`)
      }
    }
  }
  return { service, players }
}

/** Each system in turn, `rounds` times, so that a noisy minute meets all of them. Gives the samples by name. */
export async function interleaved(players, rounds, sample) {
  const samples = Object.fromEntries(players.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const player of players) samples[player.name].push(await sample(player, round))
  }
  return samples
}
