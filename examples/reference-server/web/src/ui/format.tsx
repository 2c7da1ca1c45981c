import { useEffect, useState } from 'preact/hooks'

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** `1.5 MB`. Powers of 1,000. */
export function bytes(count: number): string {
  const power = count < 1 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), units.length - 1)
  return `${(count / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

/** `1.5 MB/s`. */
export function rate(bytesPerSecond: number): string {
  return `${bytes(Math.round(bytesPerSecond))}/s`
}

/** `host:port`, an IPv6 address in brackets. */
export function address(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** `1 player`, `2 players`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

const steps: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const exact = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' })

export function ago(iso: string, now = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1_000
  const [unit, size] = steps.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1]
  return Math.abs(seconds) < 45 ? 'just now' : relative.format(Math.round(seconds / size), unit)
}

const tellAgainMs = 60_000

/** A time as people say it; exactly, in their own zone, where one points at it. */
export function Time({ at, none = 'never' }: { at: string | null; none?: string }) {
  const [, tellAgain] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => tellAgain((before) => before + 1), tellAgainMs)
    return () => clearInterval(timer)
  }, [])
  if (at === null) return <>{none}</>
  return (
    <time dateTime={at} title={exact.format(new Date(at))}>
      {ago(at)}
    </time>
  )
}
