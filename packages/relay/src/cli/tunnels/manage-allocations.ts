import { showPanel } from '../../control/panel-url.js'
import type { CliContext } from '../context.js'
import { ExitCode, type ExitCodeValue } from '../exit.js'
import type { Allocation } from '../panel/panel-answers.js'
import type { PanelClient } from '../panel/panel-client.js'
import type { Asked } from '../terminal/ask.js'
import { type Choice, choose } from '../terminal/choose.js'
import { manageAllocation } from './allocation-actions.js'
import { type Done, listAllocations } from './allocation-requests.js'
import { allocationTable } from './allocation-table.js'
import { createManaging, interrupted, type Managing } from './managing.js'
import { openAnother } from './open-another.js'

type Entry = { do: 'manage'; allocation: Allocation } | { do: 'open' | 'refresh' | 'quit' }

/** This device's allocations on a terminal: one is picked and changed, again and again, until quit (0). Throws CliError. */
export async function manageAllocations(outer: CliContext, client: PanelClient): Promise<ExitCodeValue> {
  const managing = createManaging(outer, client)
  try {
    await manage(managing)
    return ExitCode.ok
  } finally {
    managing.end()
  }
}

async function manage(managing: Managing): Promise<void> {
  const { client, context, ask } = managing
  let last: number | undefined
  let isFirst = true
  for (;;) {
    const listed = await ask('Asking the panel', listAllocations(client, context.signal), isFirst)
    isFirst = false
    const asked = await pick(managing, listed, last)
    if (asked.kind === 'interrupted') throw interrupted()
    if (asked.kind === 'back' || asked.value.do === 'quit') return
    const { value } = asked
    if (value.do === 'manage') {
      last = value.allocation.id
      await manageAllocation(managing, value.allocation)
    } else if (value.do === 'open') last = (await openAnother(managing)) ?? last
  }
}

function pick(
  { context, client }: Managing,
  listed: Done<Allocation[]>,
  last: number | undefined,
): Promise<Asked<Entry>> {
  const list = listed.ok ? listed.value : []
  const { head, rows } = allocationTable(list)
  const choices: Choice<Entry>[] = list.map((allocation, at) => ({
    value: { do: 'manage', allocation },
    label: rows[at] as string,
    taken: `tunnel ${allocation.id}`,
  }))
  const initial = choices.find(({ value }) => value.do === 'manage' && value.allocation.id === last)?.value
  choices.push(
    { value: { do: 'open' }, key: 'o', label: 'open a new tunnel' },
    { value: { do: 'refresh' }, key: 'r', label: 'refresh' },
    { value: { do: 'quit' }, key: 'q', label: 'quit' },
  )
  const count = list.length === 0 ? 'No tunnels yet' : `${list.length} ${list.length === 1 ? 'tunnel' : 'tunnels'}`
  return choose(context, {
    question: `${listed.ok ? count : 'Tunnels'} at ${showPanel(client.panel)}`,
    answered: '',
    ...(list.length === 0 ? {} : { head }),
    choices,
    ...(initial === undefined ? {} : { initial }),
  })
}
