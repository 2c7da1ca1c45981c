import { utimes, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type AgentConfig, loadConfig } from '../../../dist/cli/config/config-file.js'
import { type ServiceKind, servicePlaces } from '../../../dist/cli/service/places.js'
import { type KeptEnrolment, keepEnrolment } from '../../../dist/cli/service/service-config.js'
import { createHome } from '../command.js'

const PANEL = 'https://panel.example.com'
const RULES = { allow: ['127.0.0.1:25565'] }
const OTHER_RULES = { allow: ['127.0.0.1:25566'] }
const TUNNELS = { tunnels: [{ localHost: '127.0.0.1', localPort: 25_565, protocol: 'tcp' as const }] }

interface Files {
  /** Beside panel and token. */
  own: Partial<AgentConfig>
  /** The service's; undefined: there is none yet. */
  copy: Partial<AgentConfig> | undefined
  newer?: 'own' | 'copy'
  kind?: ServiceKind
}

/** What an install makes of the two files, and what the service's holds then. */
async function keep(t: Test, { own, copy, newer = 'copy', kind = 'client' }: Files) {
  const home = await createHome(t)
  const config: AgentConfig = { panel: PANEL, token: 'token-1', ...own }
  await home.enrol({ ...config })
  const path = join(home.path, 'service.json')
  if (copy !== undefined) {
    await writeFile(path, JSON.stringify({ panel: PANEL, token: 'token-1', ...copy }), { mode: 0o600 })
    await utimes(path, 1_000, 1_000)
    await utimes(home.config, newer === 'own' ? 2_000 : 500, newer === 'own' ? 2_000 : 500)
  }
  const places = { ...servicePlaces('system', kind, { env: {}, home: homedir() }), config: path }
  const kept: KeptEnrolment = await keepEnrolment({ config, path: home.config, kind }, places)
  const loaded = await loadConfig(path)
  return { kept, holds: loaded.ok ? loaded.config : undefined }
}

t.test('the first install copies all of it, the next one leaves the copy alone', async (t) => {
  const own = { ...RULES, ...TUNNELS }
  const first = await keep(t, { own, copy: undefined })
  t.same(first, { kept: { copy: 'new', others: [] }, holds: { panel: PANEL, token: 'token-1', ...own } })
  t.same((await keep(t, { own, copy: own, newer: 'own' })).kept, { copy: 'kept', others: [] })
})

t.test('an owner who has edited his file has it taken over', async (t) => {
  const { kept, holds } = await keep(t, { own: RULES, copy: { ...OTHER_RULES, ...TUNNELS }, newer: 'own' })
  t.same(kept, { copy: 'updated', others: [] })
  t.same(holds, { panel: PANEL, token: 'token-1', ...RULES }, 'and nothing that he has taken out')
  const moved = await keep(t, { own: { panel: 'https://new.example.com' }, copy: {}, newer: 'own', kind: 'server' })
  t.equal(moved.holds?.panel, 'https://new.example.com')
})

t.test('what was edited at the service itself stays, and is named', async (t) => {
  const { kept, holds } = await keep(t, { own: RULES, copy: { ...OTHER_RULES, ...TUNNELS } })
  t.same(kept, { copy: 'kept', others: ['tunnels', 'allow'] })
  t.match(holds, { ...OTHER_RULES, ...TUNNELS })
})

t.test('another token takes the place of the one before, not of the settings beside it', async (t) => {
  const { kept, holds } = await keep(t, { own: { token: 'token-2' }, copy: RULES, newer: 'own' })
  t.same(kept, { copy: 'replaced', others: ['allow'] })
  t.match(holds, { token: 'token-2', ...RULES })
})

t.test('a relay has no tunnels and no rules of its own', async (t) => {
  t.same((await keep(t, { own: RULES, copy: {}, newer: 'own', kind: 'server' })).kept, { copy: 'kept', others: [] })
})
