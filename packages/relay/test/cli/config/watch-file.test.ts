import { chmod, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { followFile } from '../../../dist/cli/config/watch-file.js'
import { CliError } from '../../../dist/cli/exit.js'
import { until } from '../../support.js'

interface Scene {
  path: string
  seen: unknown[]
  troubles: string[]
  /** Looks that found no JSON. */
  failures: () => number
}

async function scene(t: Test, graceMs = 20): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-watch-'))
  const path = join(folder, 'file.json')
  await writeFile(path, '1')
  const seen: unknown[] = []
  const troubles: string[] = []
  let failures = 0
  const unfollow = followFile<unknown>({
    path,
    present: 1,
    read: async () => {
      try {
        return JSON.parse(await readFile(path, 'utf8'))
      } catch {
        failures += 1
        throw new CliError('broken', 'cannot be read')
      }
    },
    changed: (content) => seen.push(content),
    broken: ({ message }) => troubles.push(message),
    everyMs: 20,
    graceMs,
  })
  t.teardown(async () => {
    unfollow()
    await rm(folder, { recursive: true })
  })
  return { path, seen, troubles, failures: () => failures }
}

t.test('what is written or put in its place is seen, once; the same content is no change', async (t) => {
  // A file is empty before it is written.
  const { path, seen, troubles } = await scene(t, 2_000)
  await writeFile(path, '2')
  await until(() => seen.length === 1, 'the first change')
  await writeFile(path, '2 ')
  await writeFile(`${path}.new`, '[3]')
  await rename(`${path}.new`, path)
  await until(() => seen.length === 2, 'the second change')
  t.strictSame(seen, [2, [3]])
  t.strictSame(troubles, [])
})

t.test('a broken file is said once and what held is kept; whole again it counts', async (t) => {
  const { path, seen, troubles } = await scene(t)
  await writeFile(path, '{"half":')
  await until(() => troubles.length === 1, 'the trouble')
  await writeFile(path, '{"half": ')
  await chmod(path, 0o600)
  await rm(path)
  await writeFile(path, '4')
  await until(() => seen.length === 1, 'the change')
  t.strictSame(seen, [4])
  t.strictSame(troubles, ['cannot be read'])
  await writeFile(path, 'x')
  await until(() => troubles.length === 2, 'a new trouble')
})

t.test('a file in the middle of being written is no trouble', async (t) => {
  const { path, seen, troubles, failures } = await scene(t, 10_000)
  await writeFile(path, '')
  await until(() => failures() > 0, 'a look at it')
  await writeFile(path, '5')
  await until(() => seen.length === 1, 'the change')
  t.strictSame(seen, [5])
  t.strictSame(troubles, [])
})
