import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'
import { Action } from './action.js'
import type { Pages } from './pages.js'
import { Loaded } from './states.js'
import { type Column, Table } from './table.js'

/** Fewer are seen at a glance. */
const filterFrom = 20
/** Rows that are drawn at once. */
const shownStep = 200

interface PagedTableProps<Row> {
  readonly pages: Pages<Row>
  readonly label: string
  /** What there are many of, such as `users`. */
  readonly noun: string
  readonly columns: readonly Column<Row>[]
  /** What the filter looks in. */
  readonly textOf: (row: Row) => string
  /** In the place of a table without rows. */
  readonly empty: ComponentChildren
  /** Rows that are not to be shown here. */
  readonly hides?: (row: Row) => boolean
}

/** A table of what the panel gives in parts: a filter of what is loaded, and a button for more. */
export function PagedTable<Row extends { readonly id: string }>(props: PagedTableProps<Row>) {
  const { pages, label, noun, columns, textOf, empty, hides } = props
  const [words, setWords] = useState('')
  const [limit, setLimit] = useState(shownStep)
  const id = useId()
  return (
    <Loaded resource={pages} lines={4}>
      {({ items, total }) => {
        const visible = hides ? items.filter((row) => !hides(row)) : items
        const count = total - (items.length - visible.length)
        if (count === 0) return empty
        const wanted = words.trim().toLowerCase().split(/\s+/)
        const found = visible.filter((row) => wanted.every((word) => textOf(row).toLowerCase().includes(word)))
        const isPart = visible.length < count
        const isFiltered = words.trim() !== ''
        const more = () => {
          setLimit(limit + shownStep)
          return found.length > limit ? Promise.resolve() : pages.more()
        }
        return (
          <>
            {count > filterFrom && (
              <div class="list-filter">
                <label for={id}>Filter</label>
                <input
                  id={id}
                  type="search"
                  value={words}
                  autocomplete="off"
                  onInput={({ currentTarget }) => setWords(currentTarget.value)}
                />
              </div>
            )}
            {found.length > 0 && (
              <Table label={label} columns={columns} rows={found.slice(0, limit)} rowKey={(row) => row.id} />
            )}
            <div class="paging">
              <p class="text-light" role="status">
                {isFiltered
                  ? `${number(found.length)} of the ${number(visible.length)} ${noun} ${isPart ? 'loaded so far' : 'there are'} match.`
                  : isPart || found.length > limit
                    ? `${number(Math.min(found.length, limit))} of ${number(count)} ${noun}`
                    : count > filterFrom && `${number(count)} ${noun}`}
              </p>
              {isFiltered && isPart && <Action onAction={pages.all}>Load all {number(count)}</Action>}
              {(found.length > limit || (isPart && !isFiltered)) && (
                <Action onAction={more} label={`Show more ${noun}`}>
                  Show more
                </Action>
              )}
            </div>
          </>
        )
      }}
    </Loaded>
  )
}

function number(count: number): string {
  return count.toLocaleString('en')
}
