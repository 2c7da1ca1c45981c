/**
 * Gives what tap's `skip` takes when a real server for tests is not there: `false` when it is, else why not.
 * On a build server (`CI=true`) its absence is an error, because tests that are skipped there are never run.
 */
export function skipWithout(name: string, missing: string | undefined): string | false {
  if (missing === undefined) return false
  if (process.env['CI'] === 'true') throw new Error(`${name} is needed for the tests: ${missing}`)
  return `${name} is not here: ${missing}`
}
