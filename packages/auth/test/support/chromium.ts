import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Without windows and toolbars first: the same engine for two thirds of the time. */
const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Path of a Chromium to test with: what the environment variable CHROMIUM says, or one on PATH. */
export function findChromium(): string | undefined {
  const { CHROMIUM: given, PATH: path = '' } = process.env
  const candidates = given
    ? [given]
    : path.split(delimiter).flatMap((directory) => names.map((name) => join(directory, name)))
  return candidates.find(isExecutable)
}

/** Why there is no Chromium to test with, or `undefined` when there is; for `skipWithout`. */
export function missingChromium(): string | undefined {
  return findChromium() ? undefined : `no ${names.join(', ')} on PATH, nor a path in CHROMIUM`
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
