import type { Allocation } from '@sallyport/relay/client'
import { useEffect, useState } from 'preact/hooks'
import { useTraffic } from '../live.js'
import { bytes, plural, rate } from '../ui/format.js'
import { Section } from '../ui/page.js'
import { useResource } from '../ui/resource.js'
import { Loaded } from '../ui/states.js'
import { type RangeName, ranges, readSeries, type Series, summarise } from './series.js'
import { timeOf } from './times.js'
import { TrafficChart } from './traffic-chart.js'
import { TrafficTable } from './traffic-table.js'

/** What passed a tunnel, as a chart, in words and as a table. */
export function TrafficSection({ allocation }: { allocation: Allocation }) {
  const [range, setRange] = useState<RangeName>('hour')
  const resource = useResource(() => readSeries(allocation.id, range), `${allocation.id} ${range}`)
  const { data, error, reload } = resource

  // With each answer, or none, it begins anew.
  useEffect(() => {
    const timer = setTimeout(() => void reload(), ranges[range].refreshMs)
    return () => clearTimeout(timer)
  }, [data, error, range, reload])

  const choice = (
    <fieldset class="segments">
      <legend class="visually-hidden">Time shown</legend>
      {Object.entries(ranges).map(([name, { label }]) => (
        <button
          key={name}
          type="button"
          class="outline small"
          aria-pressed={name === range}
          onClick={() => setRange(name as RangeName)}
        >
          {label}
        </button>
      ))}
    </fieldset>
  )
  return (
    <Section title="Traffic" actions={choice}>
      <div class="traffic">
        <Loaded resource={resource} lines={7}>
          {(series) => <Shown allocation={allocation} series={series} />}
        </Loaded>
      </div>
    </Section>
  )
}

function Shown({ allocation, series }: { allocation: Allocation; series: Series }) {
  const summary = summarise(series)
  const { open, connections, bytesInPerSecond, bytesOutPerSecond } = useTraffic(allocation)
  const isQuiet = open === 0 && bytesInPerSecond + bytesOutPerSecond === 0
  if (summary.peak === undefined && summary.connections === 0 && isQuiet)
    return <Nothing ever={connections > 0} series={series} />
  return (
    <>
      <TrafficChart allocation={allocation} series={series} />
      <p class="text-light chart-words">{inWords(series, summary)}</p>
      <TrafficTable series={series} />
    </>
  )
}

/** As high as the chart is. */
function Nothing({ ever, series }: { ever: boolean; series: Series }) {
  return (
    <div class="empty chart-empty">
      <p class="empty-title">{ever ? `No traffic in ${ranges[series.range].words}` : 'No traffic yet'}</p>
      <p class="text-light">
        {ever
          ? 'Choose a longer time to see what was before.'
          : 'When the first player joins, it shows here within seconds.'}
      </p>
    </div>
  )
}

function inWords({ range }: Series, { bytesIn, bytesOut, connections, peak }: ReturnType<typeof summarise>): string {
  const { words, resolution } = ranges[range]
  const all = `In ${words}: ${bytes(bytesIn)} in from players, ${bytes(bytesOut)} out to them, ${plural(connections, 'connection')}.`
  if (!peak) return all
  const most = `in ${rate(peak.inPerSecond)}, out ${rate(peak.outPerSecond)}`
  return `${all} The busiest ${resolution} was ${timeOf(peak.at, range)}: ${most}.`
}
