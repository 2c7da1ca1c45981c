// What a panel refuses, in the words of the programs: quotas, the feature flag, another's place, the wrong kind of token.
import { writeFile } from 'node:fs/promises'
import t from 'tap'
import { sallyport } from '../../support/agent.js'
import { api } from '../../support/api.js'
import { until, within } from '../../support/deadline.js'
import { askTcp, labelledService, talker } from '../../support/tunnel/labelled-service.js'
import { listens } from '../../support/tunnel/players.js'
import { startStory } from '../../support/tunnel/story.js'

t.test('what a panel refuses', async (t) => {
  const story = await startStory(t)
  const { admin } = story
  const service = await labelledService(t, 'home')
  const local = ['--local-port', String(service.port)]
  const setFlag = (tunnels: boolean) => admin.ok('PATCH', '/api/settings', { features: { tunnels } })
  const setQuota = (allocationsPerUser: number) =>
    admin.ok('PATCH', '/api/settings', { quotas: { allocationsPerUser } })

  await t.test('no more tunnels than the quota, for `open` and for `run`', async (t) => {
    await setQuota(1)
    t.match(await story.command(['open', ...local]), { code: 0 })
    const refused = await story.command(['open', '--local-port', '9'])
    t.match(refused, { code: 1, stderr: /quota/ })
    t.match(refused.stderr, /remove|administrator/)
    const json = await story.command(['open', '--local-port', '9', '--json'])
    t.match(JSON.parse(json.stderr.trim()), { error: 'quota_exceeded' })
    const run = await story.command(['run', '--local-port', '9'])
    t.match(run, { code: 1, stderr: /quota/ })
    await setQuota(10)
    t.match(await story.command(['open', '--local-port', '9']), { code: 0 })
  })

  await t.test('tunnels that it says are there', async (t) => {
    const { code, stdout } = await story.command(['allocations', '--json'])
    t.equal(code, 0)
    const { allocations } = JSON.parse(stdout) as { allocations: Record<string, unknown>[] }
    t.match(allocations, [
      { localPort: service.port, protocol: 'tcp', status: 'open', relayOnline: true, traffic: { open: 0 } },
      { localPort: 9 },
    ])
    const table = await story.command(['allocations'])
    t.match(table.stdout, new RegExp(`localhost:${allocations[0]?.['port']} .*:${service.port} `))
    t.notOk(table.stdout.includes('\u001b'), 'without colours where nobody looks')
  })

  await t.test('tunnels are switched off: the agent waits, one-shot commands end, players are out', async (t) => {
    const agent = await story.run(local)
    const { port } = await story.tunnel(service.port)
    const player = await talker(t, port)
    t.equal(await until('a player', () => player.ask('hello')), 'home:hello')
    await setFlag(false)
    await within('the player’s end', player.closed, 5_000)
    await until('a closed port', async () => !(await listens(port)))
    await until('the agent says why', () => /switched off/.test(agent.stdout + agent.stderr))
    for (const args of [['open', '--local-port', '7'], ['allocations']]) {
      const { code, stderr } = await story.command(args)
      t.equal(code, 1, args.join(' '))
      t.match(stderr, /switched off/)
    }
    t.equal(agent.child.exitCode, null, 'it does not exit')
    await setFlag(true)
    const on = performance.now()
    t.equal(await until('a player', () => askTcp(t, port, 'again'), 30_000), 'home:again')
    t.comment(`players were in after ${Math.round(performance.now() - on)} ms`)
    t.match(await agent.stop(), { code: 0 })
  })

  await t.test(
    'two agents with one token: the newer one has the place, the older says so and stays away',
    async (t) => {
      const first = await story.run(local)
      const second = sallyport(t, ['run', '--config', story.config])
      const saidOf = ({ stdout, stderr }: typeof first) => stdout + stderr
      await until('the first says so', () => /another agent .*took over.* 60 s/.test(saidOf(first)))
      const { port } = await story.tunnel(service.port)
      await until('the second has the link', () => /linked to relay/.test(saidOf(second)))
      t.equal(await until('a player', () => askTcp(t, port, 'which?')), 'home:which?')
      t.equal(first.child.exitCode, null)
      t.notMatch(saidOf(second), /took over/, 'it does not take its place back')
      t.match(await second.stop(), { code: 0 })
      t.notMatch(saidOf(first), /lost.*trying on/, 'nor calls it a fault')
      t.match(await first.stop(), { code: 0 })
    },
  )

  await t.test('the token of a relay is no agent’s, and the other way round', async (t) => {
    const { token } = await story.relayDevice()
    // Nothing but the panel knows of which kind it is.
    const config = `${story.config}.relay`
    await writeFile(config, JSON.stringify({ panel: story.url, token }), { mode: 0o600 })
    t.match(await api(story.url, token).request('POST', '/api/tunnel/allocations', { localPort: 1, protocol: 'tcp' }), {
      status: 409,
      body: { error: 'wrong_kind' },
    })
    for (const args of [['run'], ['open', '--local-port', '1']]) {
      t.match(await story.command(args, config), { code: 3, stderr: /relay/ }, args.join(' '))
    }
    t.match(await story.command(['relay', '--data-port', '0']), { code: 3, stderr: /--kind server/ })
  })

  await t.test('a code that was denied', async (t) => {
    const program = sallyport(t, ['enroll', '--panel', story.url, '--config', `${story.config}.denied`])
    const [userCode] = await program.line(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/)
    await admin.ok('POST', '/api/tunnel/device/deny', { userCode })
    t.match(await program.exited, { code: 1 })
    t.match(program.stderr, /denied/)
  })
})
