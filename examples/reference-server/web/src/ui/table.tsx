import type { ComponentChildren } from 'preact'

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => ComponentChildren
  /** Numbers stand at the end of their column. */
  readonly numeric?: boolean
  /** Buttons: no title is shown. */
  readonly actions?: boolean
}

interface TableProps<Row> {
  /** What the table is of, for screen readers. */
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string | number
}

/** A table; on narrow screens each row becomes a card with its columns' titles. */
export function Table<Row>({ label, columns, rows, rowKey }: TableProps<Row>) {
  return (
    // Roles are said: as cards (display: block) a browser takes them for none.
    <table class="cards" role="table" aria-label={label}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ title, numeric, actions }) => (
            <th key={title} role="columnheader" scope="col" class={numeric ? 'numeric' : undefined}>
              {actions ? <span class="visually-hidden">{title}</span> : title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={rowKey(row)} role="row">
            {columns.map(({ title, cell, numeric, actions }) => (
              <td
                key={title}
                role="cell"
                data-label={actions ? undefined : title}
                class={numeric ? 'numeric' : actions ? 'actions' : undefined}
              >
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
