import type { Allocation } from '@sallyport/relay/client'
import type { TargetedKeyboardEvent } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { useTraffic } from '../live.js'
import { rate } from '../ui/format.js'
import type { Chart } from './chart.js'
import { addSample, drawn, type Sample } from './live-samples.js'
import { ranges, type Series } from './series.js'
import { marksOf, timeOf } from './times.js'

const sampleEveryMs = 1_000
/** Of the keys Page Up and Page Down. */
const pageStep = 10

interface TrafficChartProps {
  readonly allocation: Allocation
  readonly series: Series
}

/** The chart of one series; of the hour with the present rate at its end. The arrow keys go from value to value. */
export function TrafficChart({ allocation, series }: TrafficChartProps) {
  const { range, points, clockOffset } = series
  const samples = useSamples(allocation, series)
  const shown = useMemo(() => drawn(points, samples), [points, samples])
  /** A time and not an index: values come and go. */
  const [chosen, setChosen] = useState<number | null>(null)
  const box = useRef<HTMLDivElement>(null)
  const chart = useChart(box, setChosen)

  // The window moves on with each sample.
  useEffect(() => {
    const { steps, stepSeconds } = ranges[range]
    const now = Date.now() / 1_000 + clockOffset
    const last = points.at(-1)?.at ?? now
    const to = range === 'hour' ? now : last + stepSeconds
    chart?.update({ points: shown, from: to - steps * stepSeconds, to })
  }, [chart, shown, range, points, clockOffset])

  useEffect(() => chart?.select(chosen), [chart, chosen])

  const at = chosen === null ? shown.length - 1 : indexAt(shown, chosen)
  const point = shown[at]
  const move = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const next = nextIndex(event.key, at, shown.length)
    if (next === undefined) return
    event.preventDefault()
    setChosen(shown[next]?.at ?? null)
  }
  const time = point ? timeOf(point.at, range) : ''
  const isNow = chosen === null && range === 'hour'
  return (
    <>
      <div class="chart-legend">
        <span>
          <i class="swatch in" /> In, from players <b>{rate(point?.inPerSecond ?? 0)}</b>
        </span>
        <span>
          <i class="swatch out" /> Out, to players <b>{rate(point?.outPerSecond ?? 0)}</b>
        </span>
        <span class="text-light">{isNow ? 'now' : time}</span>
      </div>
      <div
        class="chart"
        ref={box}
        role="slider"
        tabIndex={0}
        aria-label="Traffic over time, value by value"
        aria-valuemin={0}
        aria-valuemax={Math.max(0, shown.length - 1)}
        aria-valuenow={Math.max(0, at)}
        aria-valuetext={point ? `${time}: in ${rate(point.inPerSecond)}, out ${rate(point.outPerSecond)}` : 'No values'}
        onKeyDown={move}
        // While it has the focus its value is read out: that must not change each second.
        onFocus={() => setChosen((before) => before ?? shown.at(-1)?.at ?? null)}
        onBlur={() => setChosen(null)}
      />
    </>
  )
}

/** Loads the library and draws; both go with the component. */
function useChart(
  box: { readonly current: HTMLElement | null },
  onPoint: (at: number | null) => void,
): Chart | undefined {
  const [chart, setChart] = useState<Chart>()
  useEffect(() => {
    let made: Chart | undefined
    let isGone = false
    // Without it the summary and the table still tell everything.
    void import('./chart.js').then(
      ({ createChart }) => {
        const element = box.current
        if (isGone || !element) return
        const empty = { points: [], from: 0, to: 1 }
        made = createChart(element, { data: empty, onPoint, rate, marksOf })
        setChart(made)
      },
      () => undefined,
    )
    return () => {
      isGone = true
      made?.destroy()
    }
  }, [box, onPoint])
  return chart
}

/** What passes now, once a second, for as long as an hour is shown. */
function useSamples(allocation: Allocation, { range, points, clockOffset }: Series): readonly Sample[] {
  const traffic = useTraffic(allocation)
  const latest = useRef(traffic)
  latest.current = traffic
  const [samples, setSamples] = useState<readonly Sample[]>([])
  useEffect(() => {
    if (range !== 'hour') {
      setSamples([])
      return
    }
    const take = () => {
      const { bytesInPerSecond, bytesOutPerSecond } = latest.current
      const at = Math.round(Date.now() / 1_000 + clockOffset)
      setSamples((before) =>
        addSample(before, { at, inPerSecond: bytesInPerSecond, outPerSecond: bytesOutPerSecond }, points),
      )
    }
    take()
    const timer = setInterval(take, sampleEveryMs)
    return () => clearInterval(timer)
  }, [range, points, clockOffset])
  return samples
}

/** Of the last one that begins then or before; of the first when all are later. */
function indexAt(shown: readonly Sample[], at: number): number {
  const next = shown.findIndex((point) => point.at > at)
  return next === -1 ? shown.length - 1 : Math.max(0, next - 1)
}

function nextIndex(key: string, at: number, count: number): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowDown: -1,
    ArrowRight: 1,
    ArrowUp: 1,
    PageDown: -pageStep,
    PageUp: pageStep,
    Home: -count,
    End: count,
  }
  const step = steps[key]
  return step === undefined || count === 0 ? undefined : Math.max(0, Math.min(count - 1, at + step))
}
