import { startPostgres } from '@sallyport/core/testing'
import { pause, quantile } from './figures.mjs'
import { ask, createScene, kill } from './panels.mjs'

const settleMs = 5_000
const agentProcesses = 2
const backWithinMs = 120_000

/** Many agents that do nothing: what each costs the panel, and how they come back after it was killed. */
export async function idle({ agents, seconds }) {
  const scene = createScene()
  try {
    const postgres = scene.use(await startPostgres())
    const config = { databaseUrl: postgres.url }
    let panel = await scene.panel(config)
    const { devices } = await ask(panel.child, 'devices', { makeDevices: { count: agents, withAllocations: true } })
    const tokens = devices.map(({ token }) => token)
    // Another process serves them: what making them has left behind is not theirs.
    await kill(panel.child, 'SIGTERM')
    panel = await scene.panel(config)
    const crowds = []
    for (let index = 0; index < agentProcesses; index++) crowds.push((await scene.start('gateway-agents.mjs')).child)

    const bare = await scene.start('bare-gateway.mjs')
    const bareCost = await cost({ server: bare.child, crowds, tokens, port: bare.port, seconds })
    for (const crowd of crowds) await ask(crowd, 'disconnected', { disconnect: true })
    await kill(bare.child, 'SIGTERM')

    const panelCost = await cost({ server: panel.child, crowds, tokens, port: panel.port, seconds })

    for (const crowd of crowds) crowd.send({ forget: true })
    const killed = Date.now()
    await kill(panel.child, 'SIGKILL')
    panel = await scene.panel({ ...config, port: panel.port })
    const ready = Date.now()
    const before = (await ask(panel.child, 'usage', { usage: true })).usage
    const { back, ends } = await allBack(crowds, agents)
    const after = (await ask(panel.child, 'usage', { usage: true })).usage
    const since = (start) => back.map((at) => Math.max(0, at - start))
    return {
      unit: `${agents} agents on one panel; kB each, per cent of a core, seconds`,
      residentPerAgent: panelCost.resident,
      residentPerAgentBare: bareCost.resident,
      heapPerAgent: panelCost.heap,
      heapPerAgentBare: bareCost.heap,
      idleCpu: panelCost.cpu,
      idleCpuBare: bareCost.cpu,
      panelStart: (ready - killed) / 1_000,
      backAfterKillP50: quantile(since(killed), 0.5) / 1_000,
      backAfterKillP99: quantile(since(killed), 0.99) / 1_000,
      backAfterKillAll: Math.max(...since(killed)) / 1_000,
      backAfterReadyP50: quantile(since(ready), 0.5) / 1_000,
      backAfterReadyP99: quantile(since(ready), 0.99) / 1_000,
      backAfterReadyAll: Math.max(...since(ready)) / 1_000,
      /** What it took the panel to welcome them all, CPU milliseconds each. */
      cpuPerWelcome: (after.cpuMicroseconds - before.cpuMicroseconds) / 1_000 / agents,
      /** Tries that failed, for each agent, and those of them that the new panel refused. */
      failedTries: Object.values(ends).reduce((sum, count) => sum + count, 0) / agents - 1,
      ends,
      firstConnect: panelCost.connectSeconds,
    }
  } finally {
    await scene.close()
  }
}

async function cost({ server, crowds, tokens, port, seconds }) {
  const usage = async () => (await ask(server, 'usage', { usage: true })).usage
  const before = await usage()
  const share = Math.ceil(tokens.length / crowds.length)
  const start = performance.now()
  const standing = await Promise.all(
    crowds.map((crowd, index) => {
      const mine = tokens.slice(index * share, (index + 1) * share)
      return ask(crowd, 'standing', { connect: { panel: `http://127.0.0.1:${port}`, tokens: mine } })
    }),
  )
  const connectSeconds = (performance.now() - start) / 1_000
  const count = standing.reduce((sum, { standing: some }) => sum + some, 0)
  if (count !== tokens.length) throw new Error(`only ${count} of ${tokens.length} agents are connected`)
  await pause(settleMs)
  const idleFrom = await usage()
  const from = performance.now()
  await pause(seconds * 1_000)
  const idleTo = await usage()
  const milliseconds = performance.now() - from
  return {
    // As it is, not after a forced collection: that is what the system has to give.
    resident: (idleTo.rss - before.rssAfterGc) / 1_000 / count,
    heap: (idleTo.heap - before.heap) / 1_000 / count,
    cpu: (idleTo.cpuMicroseconds - idleFrom.cpuMicroseconds) / 10 / milliseconds,
    connectSeconds,
  }
}

async function allBack(crowds, agents) {
  const end = Date.now() + backWithinMs
  for (;;) {
    const answers = await Promise.all(crowds.map((crowd) => ask(crowd, 'times', { times: true })))
    const standing = answers.reduce((sum, { times }) => sum + times.standing, 0)
    const ends = {}
    for (const [reason, count] of answers.flatMap(({ times }) => Object.entries(times.ends))) {
      ends[reason] = (ends[reason] ?? 0) + count
    }
    if (standing === agents) return { back: answers.flatMap(({ times }) => times.cameBack), ends }
    if (Date.now() > end) {
      throw new Error(`only ${standing} of ${agents} are back after ${backWithinMs} ms; ends: ${JSON.stringify(ends)}`)
    }
    await pause(250)
  }
}
