import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig, loadWishes, saveConfig } from '../../../dist/cli/config/config-file.js'

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

t.test('tunnels and rules are read; an enrolment leaves them, and what is not known, as they are', async (t) => {
  const path = join(await directory(t), 'agent.json')
  const wishes = {
    tunnels: [
      { localPort: 25_565 },
      { localPort: 1, localHost: 'NAS.lan', protocol: 'both', port: 20_000, region: 'eu' },
    ],
    allow: ['nas.lan:1-100'],
    comment: 'mine',
  }
  await writeFile(path, JSON.stringify({ ...CONFIG, deviceId: 'old', ...wishes }), { mode: 0o600 })
  const tunnels = [
    { localPort: 25_565, localHost: '127.0.0.1', protocol: 'tcp' },
    { localPort: 1, localHost: 'nas.lan', protocol: 'both', port: 20_000, region: 'eu' },
  ]
  t.match(await loadConfig(path), { ok: true, config: { deviceId: 'old', tunnels, allow: ['nas.lan:1-100'] } })
  await saveConfig(path, { panel: 'https://other.example.com', token: 'new', kind: 'client' })
  t.strictSame(await loadConfig(path), {
    ok: true,
    config: { panel: 'https://other.example.com', token: 'new', kind: 'client', tunnels, allow: ['nas.lan:1-100'] },
  })
  t.match(JSON.parse(await readFile(path, 'utf8')), { comment: 'mine', tunnels: wishes.tunnels })
})

t.test('what others could have written is not taken over', async (t) => {
  const path = join(await directory(t), 'agent.json')
  await writeFile(path, JSON.stringify({ allow: ['0.0.0.0/0:1-65535'] }))
  await chmod(path, 0o666)
  await saveConfig(path, CONFIG)
  t.strictSame(await loadConfig(path), { ok: true, config: CONFIG })
})

for (const [field, content] of [
  ['tunnels[1].localPrt', { tunnels: [{ localPort: 1 }, { localPrt: 2 }] }],
  ['tunnels[0].localPort', { tunnels: [{}] }],
  ['tunnels[0].localPort', { tunnels: [{ localPort: '25565' }] }],
  ['tunnels[0].protocol', { tunnels: [{ localPort: 1, protocol: 'sctp' }] }],
  ['tunnels[0].localHost', { tunnels: [{ localPort: 1, localHost: 'a b' }] }],
  ['tunnels[0].region', { tunnels: [{ localPort: 1, region: '../eu' }] }],
  ['tunnels[0].port', { tunnels: [{ localPort: 1, port: 70_000 }] }],
  ['tunnels', { tunnels: { localPort: 1 } }],
  ['allow[0]', { allow: ['everything'] }],
  ['kind', { kind: 'admin' }],
] as const) {
  t.test(`the field that is wrong is named: ${field} of ${JSON.stringify(content)}`, async (t) => {
    const path = join(await directory(t), 'agent.json')
    await writeFile(path, JSON.stringify({ ...CONFIG, ...content }), { mode: 0o600 })
    const loaded = await loadConfig(path)
    t.match(loaded, { ok: false, error: 'config_invalid' })
    t.ok((loaded as { detail: string }).detail.includes(`'${field}'`), JSON.stringify(loaded))
  })
}

t.test('a file that is no JSON: its line is said, not its content', async (t) => {
  const path = join(await directory(t), 'agent.json')
  await writeFile(path, '{\n  "panel": "https://p",\n  "token": "abc.def.ghi"\n  "name": "x"\n}', { mode: 0o600 })
  const loaded = await loadConfig(path)
  t.match(loaded, { ok: false, detail: /no JSON \(line 4\)/ })
  t.notMatch(JSON.stringify(loaded), /abc\.def/)
})

t.test('where the token comes from elsewhere, the file needs none', async (t) => {
  const path = join(await directory(t), 'agent.json')
  await writeFile(path, '{"tunnels":[{"localPort":7}]}', { mode: 0o600 })
  t.match(await loadWishes(path), { ok: true, config: { tunnels: [{ localPort: 7 }] } })
  t.match(await loadConfig(path), { ok: false, error: 'config_invalid', detail: /'panel'/ })
})
