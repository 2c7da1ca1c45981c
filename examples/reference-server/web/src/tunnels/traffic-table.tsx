import { useMemo, useState } from 'preact/hooks'
import { bytes } from '../ui/format.js'
import { Table } from '../ui/table.js'
import { type Point, ranges, type Series } from './series.js'
import { timeOf } from './times.js'

const pageSize = 100

/** The chart's numbers for those who would rather read them. Made when it is opened. */
export function TrafficTable({ series }: { series: Series }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details class="plain" open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>The same as a table</summary>
      {isOpen && <Rows key={series.range} series={series} />}
    </details>
  )
}

function Rows({ series: { points, range } }: { series: Series }) {
  const [shown, setShown] = useState(pageSize)
  const { resolution } = ranges[range]
  const rows = useMemo(
    () => points.filter(({ bytesIn, bytesOut, connections }) => bytesIn + bytesOut + connections > 0).reverse(),
    [points],
  )
  return (
    <div>
      <p class="text-light">
        Each line is one {resolution}, the newest first. {resolution === 'minute' ? 'Minutes' : 'Hours'} in which
        nothing passed are left out.
      </p>
      <Table<Point>
        label={`Traffic by ${resolution}`}
        rows={rows.slice(0, shown)}
        rowKey={({ at }) => at}
        columns={[
          { title: 'From', cell: ({ at }) => timeOf(at, range) },
          { title: 'In', numeric: true, cell: ({ bytesIn }) => bytes(bytesIn) },
          { title: 'Out', numeric: true, cell: ({ bytesOut }) => bytes(bytesOut) },
          { title: 'New connections', numeric: true, cell: ({ connections }) => connections.toLocaleString('en') },
        ]}
      />
      {rows.length > shown && (
        <p>
          <button type="button" class="outline small" onClick={() => setShown(shown + pageSize)}>
            Show more
          </button>
        </p>
      )}
    </div>
  )
}
