import t from 'tap'
import type { AgentRelay } from '../../dist/index.js'
import { startAgentProgram } from '../programs/programs.js'
import { DEVICE, dial, readBytes } from '../support.js'
import { visit } from './players.js'
import { startWorld, TCP } from './world.js'

/** Together longer than a process waits for an agent (5 s). During the first a successor has to start, too. */
const STAY_BEFORE_MS = 1_600
const STAY_AFTER_MS = 3_600

t.test('who waits for an agent that is away is served by the successor', { timeout: 30_000 }, async (t) => {
  const { line, agent, tcp } = await startWorld(t)
  const next = await startAgentProgram(t)
  await agent.kill()
  await line.unlinked(0)
  const [talker, listener] = [await dial(t, tcp.port), await dial(t, tcp.port)]
  const leaver = visit(t, tcp)
  const said = Buffer.alloc(3_000, 'said before')
  talker.write(said)
  await new Promise((resolve) => setTimeout(resolve, STAY_BEFORE_MS))
  await line.ask(0, 'handOver')
  await new Promise((resolve) => setTimeout(resolve, STAY_AFTER_MS))
  await next.connect(await line.ask<AgentRelay>(1, 'address', DEVICE))
  talker.write('and after')
  t.equal(String(await readBytes(talker, said.length + 9)), `${said}and after`)
  listener.write('hello')
  t.equal(String(await readBytes(listener, 5)), 'hello')
  t.equal(await leaver, 100, 'who had ended before is answered too')
  t.match(await line.traffic(1, TCP), { connections: 3 })
})

t.test('who is not let in yet is asked about by the successor', { timeout: 30_000 }, async (t) => {
  const { line, tcp } = await startWorld(t, { admitAfterMs: 3_000 })
  const visits = Promise.all([visit(t, tcp), visit(t, tcp)])
  await line.ask(0, 'handOver')
  t.same(await visits, [100, 100])
})
