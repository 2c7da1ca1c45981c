import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig, saveConfig } from '../../../dist/cli/config/config-file.js'

const CONFIG = { panel: 'https://panel.example.com', token: 'abc.def.ghi', name: 'box' }

async function directory(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sallyport-config-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

t.test('what is saved is loaded; file 0600, new directory 0700, nothing left beside it', async (t) => {
  const path = join(await directory(t), 'new', 'sallyport', 'agent.json')
  await saveConfig(path, CONFIG)
  t.strictSame(await loadConfig(path), { ok: true, config: CONFIG })
  t.equal((await stat(path)).mode & 0o777, 0o600)
  t.equal((await stat(join(path, '..'))).mode & 0o777, 0o700)
  t.strictSame(await readdir(join(path, '..')), ['agent.json'])
})

t.test('saving over a file that others can read makes it private', async (t) => {
  const path = join(await directory(t), 'agent.json')
  await writeFile(path, '{}', { mode: 0o644 })
  await saveConfig(path, CONFIG)
  t.equal((await stat(path)).mode & 0o777, 0o600)
})

for (const mode of [0o640, 0o604, 0o644, 0o620, 0o666]) {
  t.test(`mode ${mode.toString(8)} is refused`, async (t) => {
    const path = join(await directory(t), 'agent.json')
    await saveConfig(path, CONFIG)
    await chmod(path, mode)
    const loaded = await loadConfig(path)
    t.match(loaded, { ok: false, error: 'config_permissions', detail: /chmod 600/ })
    t.notMatch(JSON.stringify(loaded), /abc\.def/)
  })
}

t.test('a missing file, a directory, nonsense and a giant are told apart', async (t) => {
  const root = await directory(t)
  t.match(await loadConfig(join(root, 'none.json')), { ok: false, error: 'config_missing' })
  await mkdir(join(root, 'dir'), { mode: 0o700 })
  t.match(await loadConfig(join(root, 'dir')), { ok: false })
  const contents = [
    '',
    'nonsense',
    '[]',
    'null',
    '{"panel":1,"token":"x"}',
    '{"panel":"p"}',
    '{"panel":"p","token":"a b"}',
  ]
  for (const content of [...contents, 'x'.repeat(70_000)]) {
    const path = join(root, 'bad.json')
    await writeFile(path, content, { mode: 0o600 })
    t.match(await loadConfig(path), { ok: false, error: 'config_invalid' }, content.slice(0, 30))
  }
})

t.test('the mode of what a link points to counts', async (t) => {
  const root = await directory(t)
  await writeFile(join(root, 'real.json'), JSON.stringify(CONFIG), { mode: 0o644 })
  await symlink(join(root, 'real.json'), join(root, 'link.json'))
  t.match(await loadConfig(join(root, 'link.json')), { ok: false, error: 'config_permissions' })
})

t.test('a save that fails leaves the old file and no other', async (t) => {
  const root = await directory(t)
  await mkdir(join(root, 'agent.json', 'sub'), { recursive: true })
  await t.rejects(saveConfig(join(root, 'agent.json'), CONFIG))
  t.strictSame(await readdir(root), ['agent.json'])
})
