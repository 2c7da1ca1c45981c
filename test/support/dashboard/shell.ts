import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import { temporaryDirectory } from '../panel.js'
import { type Program, startProgram } from '../program.js'

/** A machine with a shell, Node.js and curl, a home of its own and an empty folder to work in. */
export interface Machine {
  readonly home: string
  /** Pastes a command into the shell. */
  paste(command: string, env?: Readonly<Record<string, string>>): Program
  /** What the last enrolment has left. */
  enrolment(): Promise<{ token: string; panel: string; deviceId: string }>
}

export async function machine(t: Test): Promise<Machine> {
  const directory = await temporaryDirectory(t)
  const [home, work] = [join(directory, 'home'), join(directory, 'work')]
  await Promise.all([mkdir(home), mkdir(work)])
  return {
    home,
    paste(command, env = {}) {
      // A group of its own: what the shell has started ends with it.
      const program = startProgram('bash', ['-c', command], { cwd: work, env: { HOME: home, ...env }, detached: true })
      t.teardown(() => endGroup(program))
      return program
    },
    enrolment: async () => JSON.parse(await readFile(join(home, '.config/sallyport/agent.json'), 'utf8')),
  }
}

/** As Ctrl-C does, to all of them. */
export async function endGroup({ child, exited }: Program): Promise<void> {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
  await exited
}

/** The text of a box to copy from, as it stands on the page. */
export async function boxText(page: Page, label: string): Promise<string> {
  const box = page.getByRole('region', { name: label, exact: true })
  await box.waitFor()
  return (await box.innerText()).trim()
}
