import type { FieldRefusal } from './problems.js'

/** What the panel takes in one list. */
const maxRules = 128
const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|$)){4}$/

/** A rule and the line that it was written in, from 1. */
interface Line {
  readonly rule: string
  readonly line: number
}

/**
 * Reads a list of addresses and CIDR ranges, one per line. What is wrong is named by its line, all of it at once: the panel, which has the last
 * word, names the first.
 */
export function readRules(field: 'allow' | 'deny', text: string): { rules: string[]; refusal?: FieldRefusal } {
  const lines = linesOf(text)
  const rules = lines.map(({ rule }) => rule)
  const wrong = lines.filter(({ rule }) => !isRule(rule))
  if (wrong.length > 0) return { rules, refusal: { field, message: wrong.map(describe).join(' ') } }
  if (rules.length > maxRules) {
    return { rules, refusal: { field, message: `At most ${maxRules} lines; here are ${rules.length}.` } }
  }
  return { rules }
}

/** What the panel says of a rule (`/options/deny/3`), with the line that it stands in. */
export function atLine(path: string, message: string, textOf: (field: string) => string): FieldRefusal | undefined {
  const [, field = '', index = ''] = path.match(/^\/options\/(allow|deny)\/(\d+)$/) ?? []
  const line = linesOf(textOf(field))[Number(index)]
  return field !== '' && line ? { field, message: `Line ${line.line}, “${line.rule}”: ${message}.` } : undefined
}

function linesOf(text: string): Line[] {
  return text.split('\n').flatMap((one, at) => (one.trim() === '' ? [] : { rule: one.trim(), line: at + 1 }))
}

function describe({ rule, line }: Line): string {
  return `Line ${line}: “${rule}” is neither an address nor a range such as 203.0.113.0/24.`
}

function isRule(rule: string): boolean {
  const [host = '', bits, ...rest] = rule.split('/')
  const width = ipv4.test(host) ? 32 : isIpv6(host) ? 128 : undefined
  if (width === undefined || rest.length > 0) return false
  return bits === undefined || (/^(?:0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= width)
}

function isIpv6(host: string): boolean {
  return /^[\da-f:.]+$/i.test(host) && host.includes(':') && URL.canParse(`http://[${host}]/`)
}
