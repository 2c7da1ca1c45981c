import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { within } from '../support/deadline.js'
import { panelEnvironment, temporaryDirectory } from '../support/panel.js'
import { root, startProgram } from '../support/program.js'

t.test('npm start ends with exit 0 whether the signal reaches npm, its group or the server', async (t) => {
  const directory = await temporaryDirectory(t)
  const env = panelEnvironment(join(directory, 'data'))
  for (const [target, signal] of [
    ['npm', 'SIGTERM'],
    ['group', 'SIGINT'],
    ['server', 'SIGTERM'],
  ] as const) {
    const program = startProgram('npm', ['start'], { env, cwd: root, detached: true })
    const pid = program.child.pid ?? 0
    t.teardown(() => killGroup(pid))
    await program.line(/^Sallyport ready at http:\/\/localhost:\d+$/m, 120_000)
    if (target === 'npm') process.kill(pid, signal)
    if (target === 'group') process.kill(-pid, signal)
    if (target === 'server') process.kill(await serverOf(pid), signal)
    t.match(await within(`the end after ${signal} to ${target}`, program.exited, 12_000), { code: 0, signal: null })
  }
})

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

/** The process that runs the server: the one without children below npm. */
async function serverOf(pid: number): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').filter(Boolean)
  return children[0] ? serverOf(Number(children[0])) : pid
}
