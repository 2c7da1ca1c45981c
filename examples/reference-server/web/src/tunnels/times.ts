import type { RangeName } from './series.js'

// A day's hours are short and in one column with 24 of them.
const time = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const timeWithSeconds = new Intl.DateTimeFormat('en', { timeStyle: 'medium', hourCycle: 'h23' })
const day = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' })
const daySeconds = 86_400

/** A point's time, in the browser's zone. @param at in seconds */
export function timeOf(at: number, range: RangeName): string {
  const date = new Date(at * 1_000)
  if (range === 'hour') return at % 60 === 0 ? time.format(date) : timeWithSeconds.format(date)
  return `${day.format(date)}, ${time.format(date)}`
}

/** Between two marks of the axis, in seconds: what people count in. */
const markSteps = [1, 5, 10, 15, 30, 60, 180, 360, 720].map((minutes) => minutes * 60)
const dayMarkSteps = [1, 2, 7, 14, 30].map((days) => days * daySeconds)

/** At most `most` marks of a time axis, at full minutes, hours or days of the browser's zone, and what stands at them. Seconds. */
export function marksOf(from: number, to: number, most: number): readonly [readonly number[], (at: number) => string] {
  const steps = [...markSteps, ...dayMarkSteps]
  const step = steps.find((one) => (to - from) / one <= most) ?? to - from
  const marks: number[] = []
  // Of each mark its own: summer time begins somewhere between them. An hour that comes twice has its marks twice.
  const offsetAt = (at: number) => new Date((step > 3_600 ? at : from) * 1_000).getTimezoneOffset() * 60
  for (let local = Math.ceil((from - offsetAt(from)) / step) * step; ; local += step) {
    const at = local + offsetAt(local + offsetAt(from))
    if (at > to) break
    if (at >= from) marks.push(at)
  }
  return [marks, (at) => markOf(at, step)]
}

function markOf(at: number, step: number): string {
  const date = new Date(at * 1_000)
  // Noon is on that day wherever summer time begins at midnight.
  if (step >= daySeconds) return day.format((at + daySeconds / 2) * 1_000)
  return date.getHours() === 0 && date.getMinutes() === 0 ? day.format(date) : time.format(date)
}
