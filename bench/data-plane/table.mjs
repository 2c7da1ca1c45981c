const columns = {
  plain: 'plain',
  tls: 'TLS',
  direct: 'direct',
  nginx: 'nginx ×2',
  frp: 'frp',
  rathole: 'rathole',
  chisel: 'chisel',
  ssh: 'ssh -R',
}

/** One line for each figure, and below it one for each further goal. */
export function printTable(results, { node, loadBefore, loadAfter, quick, skipped }) {
  const shown = Object.keys(columns).filter((name) => results.some(({ values }) => values?.[name] !== undefined))
  const head = ['measure', 'unit', ...shown.map((name) => columns[name]), 'goal', 'figure', 'met']
  const lines = [head]
  for (const { title, unit, values, goals = [], failed } of results) {
    if (failed) {
      lines.push([title, '', ...shown.map(() => ''), `failed: ${failed}`, '', ''])
      continue
    }
    const [first, ...others] = goals.length > 0 ? goals : [{ text: '', figure: undefined, met: undefined }]
    lines.push([title, unit, ...shown.map((name) => round(values[name])), ...goalCells(first)])
    for (const goal of others) lines.push(['', '', ...shown.map(() => ''), ...goalCells(goal)])
  }
  const widths = head.map((_, index) => Math.max(...lines.map((line) => line[index].length)))
  const numbers = new Set([...shown.map((_, index) => index + 2), head.length - 2])
  for (const line of lines) {
    const cells = line.map((cell, index) =>
      numbers.has(index) ? cell.padStart(widths[index]) : cell.padEnd(widths[index]),
    )
    console.log(cells.join('  ').trimEnd())
  }
  console.log()
  const notes = results.flatMap(({ measure, notes = [] }) => notes.map((note) => `${measure}: ${note}`))
  for (const note of new Set(notes)) console.log(note)
  for (const what of skipped) console.log(`left out: ${what}`)
  const load = (values) => values.map((value) => value.toFixed(2)).join(' ')
  console.log(
    `Node.js ${node}; load average before ${load(loadBefore)}, after ${load(loadAfter)}${quick ? '; quick' : ''}`,
  )
}

function goalCells({ text, figure, met }) {
  if (text === '') return ['', '', '']
  return [text, round(figure), met === undefined ? 'unknown' : met ? 'yes' : 'NO']
}

function round(value) {
  if (value === undefined || value === null || Number.isNaN(value)) return ''
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(3)))
}
