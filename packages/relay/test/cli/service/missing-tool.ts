import { spawnSync } from 'node:child_process'

/** Why a test cannot run here; undefined when the tool is there. Where it has to be there (CI=true), its absence is a failure. */
export function missingTool(name: string): string | undefined {
  const found = spawnSync('sh', ['-c', `command -v ${name}`]).status === 0
  if (found) return undefined
  if (process.env['CI'] === 'true')
    throw new Error(`${name} is not installed; with CI=true this test may not be skipped`)
  return `${name} is not installed`
}
