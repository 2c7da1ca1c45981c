import { readFileSync } from 'node:fs'

/** The bundler writes the version in its place: beside the one file there is no package.json. */
declare const SALLYPORT_VERSION: string | undefined

/** The version in this package's package.json. */
export function packageVersion(): string {
  if (typeof SALLYPORT_VERSION === 'string') return SALLYPORT_VERSION
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const version = (manifest as { version?: unknown }).version
  return typeof version === 'string' ? version : '0.0.0'
}
