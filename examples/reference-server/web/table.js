/**
 * Fills a table's body. Rows are drawn anew only when what they show has changed, so that whoever is on a button, or
 * about to click one, is not thrown off it.
 * @param rows each has `data`, all that its cells depend on, and `cells`, which makes them
 */
export function fill(table, rows, none) {
  const shown = JSON.stringify(rows.map(({ data }) => data))
  if (table.dataset.shown === shown) return
  table.dataset.shown = shown
  const labels = [...table.tHead.rows[0].cells].map((cell) => cell.textContent)
  const body = table.tBodies[0]
  body.replaceChildren(...rows.map(({ cells }) => row(cells(), labels)))
  if (rows.length > 0) return
  const cell = body.insertRow().insertCell()
  cell.colSpan = labels.length
  cell.textContent = none
}

function row(values, labels) {
  const tr = document.createElement('tr')
  values.forEach((value, column) => {
    const cell = tr.insertCell()
    cell.dataset.label = labels[column]
    cell.append(...(Array.isArray(value) ? value : [value]))
  })
  return tr
}

export function bytes(count) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = count < 1 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), units.length - 1)
  return `${(count / 1000 ** power).toFixed(power ? 1 : 0)} ${units[power]}`
}

/** `host:port`, an IPv6 address in brackets. */
export function address(host, port) {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
