import type { Test } from 'tap'
import { createFakePanel, type FakeConnection, type FakePanel } from '../../fake-panel.js'
import { type Command, createHome, type Home } from '../command.js'

export const TOKEN = 'header.payload-very-secret.signature'
export const LIST = 'GET /api/tunnel/allocations'
export const MAKE = 'POST /api/tunnel/allocations'
export const PUBLIC = { port: 20_001, host: 'play.example.com', status: 'open', relayId: 'eu1', deviceId: 'device-1' }

/** A panel, and a home with the token of an agent. */
export interface RunScene {
  panel: FakePanel
  home: Home
  /** What the panel holds. */
  allocations: Record<string, unknown>[]
}

export async function scene(t: Test): Promise<RunScene> {
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  const home = await createHome(t)
  await home.enrol({ panel: panel.url, token: TOKEN })
  const allocations: Record<string, unknown>[] = []
  serve(panel, allocations)
  return { panel, home, allocations }
}

/** Lists and makes allocations as a panel does. */
export function serve(panel: FakePanel, allocations: Record<string, unknown>[]): void {
  panel.routes.set(LIST, () => ({ body: { allocations } }))
  panel.routes.set(MAKE, ({ body }) => {
    const wish = body as { protocol: string }
    const made = (wish.protocol === 'both' ? ['tcp', 'udp'] : [wish.protocol]).map((protocol) => {
      const allocation = { ...PUBLIC, ...wish, id: allocations.length + 1, protocol }
      allocations.push(allocation)
      return allocation
    })
    return { status: 201, body: made.length === 1 ? { allocation: made[0] } : { allocations: made } }
  })
}

/** Tells the agent what it has. */
export function state(connection: FakeConnection, revision: number, allocations: Record<string, unknown>[]): void {
  connection.send({ type: 'state', revision, allocations, relays: [] })
}

/** Ends it as systemd or Ctrl-C does. */
export async function terminate(t: Test, command: Command, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  command.kill(signal)
  t.equal(await command.exit, 0)
  t.notMatch(command.stderr(), /internal error/)
  t.notOk(`${command.stdout()}${command.stderr()}`.includes(TOKEN), 'the token is never shown')
}
