/** Decodings that are undone: one is the router's, the others are those that someone might hope for. */
const maxDecodings = 3

/**
 * The path that a request target means, however it is written: percent-encoding undone, dot segments and repeated or
 * trailing slashes removed, absolute form and query cut off (RFC 9112 section 3.2, RFC 3986 section 6.2.2).
 * @returns always starts with `/`; what cannot be decoded is left as it is
 */
export function normalizePath(target: string): string {
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')
  const segments: string[] = []
  for (const segment of decode(path).split(/[/\\]+/)) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  return `/${segments.join('/')}`
}

/** The path without its query: what may be logged. */
export function pathOnly(target: string, maxLength = 200): string {
  const end = target.search(/[?#]/)
  return (end === -1 ? target : target.slice(0, end)).slice(0, maxLength)
}

/** Whether `path` is `prefix` or below it; both normalised, letter case ignored. */
export function isWithin(path: string, prefix: string): boolean {
  const [a, b] = [path.toLowerCase(), prefix.toLowerCase()]
  return b === '/' || a === b || a.startsWith(`${b}/`)
}

/** `path` without the prefix that a host mounted the kernel under; `undefined` when it is not below it. */
export function withoutPrefix(path: string, prefix: string): string | undefined {
  if (prefix === '' || prefix === '/') return path
  if (path === prefix) return '/'
  return path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : undefined
}

function decode(path: string): string {
  let decoded = path
  for (let round = 0; round < maxDecodings && decoded.includes('%'); round++) {
    const next = decodeOnce(decoded)
    if (next === decoded) break
    decoded = next
  }
  return decoded
}

function decodeOnce(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    // A bad escape must not keep the good ones from being seen.
    return path.replace(/%[0-7][0-9a-f]/gi, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)))
  }
}
