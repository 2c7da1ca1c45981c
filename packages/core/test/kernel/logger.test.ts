import { spawnSync } from 'node:child_process'
import t from 'tap'

const entry = new URL('../../dist/index.js', import.meta.url).href

/** What a logger writes, in a process of its own: it writes to a file descriptor. */
function write(code: string): { stdout: string; stderr: string } {
  const program = `import { createLogger } from ${JSON.stringify(entry)}; ${code}`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  return { stdout, stderr }
}

t.test('fields that carry secrets by their name are masked', async (t) => {
  const { stdout } = write(
    `createLogger().info({ token: 's3cret', headers: { authorization: 's3cret', cookie: 's3cret' }, id: 7 }, 'hi')`,
  )
  t.notMatch(stdout, /s3cret/)
  t.match(JSON.parse(stdout), { msg: 'hi', id: 7, token: '[secret]' })
})

t.test('writes to standard error when asked, and nothing when silent', async (t) => {
  t.match(write(`createLogger({ fd: 2 }).warn('hi')`), { stdout: '', stderr: /"msg":"hi"/ })
  t.same(write(`createLogger({ level: 'silent' }).fatal('hi')`), { stdout: '', stderr: '' })
})
