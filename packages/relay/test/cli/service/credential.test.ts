import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../../dist/cli/config/config-file.js'

t.test('a credential may show the mask of its access list, and is closed to others all the same', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-credential-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'enrolment.json')
  await writeFile(path, JSON.stringify({ panel: 'https://panel.example.com', token: 'header.payload.signature' }))
  await chmod(path, 0o440)
  t.match(await loadConfig(path), { ok: false, error: 'config_permissions' }, 'elsewhere it is the group’s')
  const before = process.env['CREDENTIALS_DIRECTORY']
  t.teardown(() => {
    if (before === undefined) delete process.env['CREDENTIALS_DIRECTORY']
    else process.env['CREDENTIALS_DIRECTORY'] = before
  })
  process.env['CREDENTIALS_DIRECTORY'] = folder
  t.match(await loadConfig(path), { ok: true })
  await chmod(path, 0o444)
  t.match(await loadConfig(path), { ok: false, error: 'config_permissions' })
  await chmod(path, 0o460)
  t.match(await loadConfig(path), { ok: false, error: 'config_permissions' })
})
