import type { Allocation } from '../panel/panel-answers.js'
import { askText } from '../terminal/ask-text.js'
import { type Choice, choose } from '../terminal/choose.js'
import { copyByTerminal } from '../terminal/clipboard.js'
import {
  type Done,
  pauseAllocation,
  removeAllocation,
  resumeAllocation,
  retargetAllocation,
} from './allocation-requests.js'
import { showStatus } from './allocation-table.js'
import { interrupted, type Managing } from './managing.js'
import { isLoopback, parseTarget, refusalOf, showAddress, showTunnel } from './target.js'

type Action = 'pause' | 'resume' | 'target' | 'copy' | 'remove' | 'back'

/** What can be done with one allocation, once. Throws CliError. */
export async function manageAllocation(managing: Managing, allocation: Allocation): Promise<void> {
  const { context } = managing
  const isPaused = allocation.status === 'closed'
  const choices: Choice<Action>[] = [
    isPaused
      ? { value: 'resume', key: 'p', label: 'resume: take players again', taken: 'resume' }
      : { value: 'pause', key: 'p', label: 'pause: keep the port, take nobody, cut its players', taken: 'pause' },
    { value: 'target', key: 't', label: 'change the local target', taken: 'change the local target' },
    { value: 'copy', key: 'c', label: `copy ${showAddress(allocation.host, allocation.port)}` },
    { value: 'remove', key: 'd', label: 'remove: cut its players, give the port back', taken: 'remove' },
    { value: 'back', key: 'b', label: 'back' },
  ]
  const asked = await choose(context, { question: `${showTunnel(allocation)} (${showStatus(allocation)})`, choices })
  if (asked.kind === 'interrupted') throw interrupted()
  if (asked.kind === 'answer' && asked.value !== 'back') await ACTIONS[asked.value](managing, allocation)
}

const ACTIONS: Record<Exclude<Action, 'back'>, (managing: Managing, allocation: Allocation) => Promise<void>> = {
  async pause({ context, client, ask }, allocation) {
    const done = await ask('Pausing', pauseAllocation(client, allocation.id, context.signal))
    if (done.ok)
      context.output.event('allocation_paused', `paused ${showTunnel(done.value)}`, { allocation: done.value })
  },

  async resume({ context, client, ask }, allocation) {
    const done = await ask('Resuming', resumeAllocation(client, allocation.id, context.signal))
    if (done.ok)
      context.output.event('allocation_resumed', `resumed ${showTunnel(done.value)}`, { allocation: done.value })
  },

  target: retarget,

  async copy({ context: { stdout, output } }, { host, port }) {
    const address = showAddress(host, port)
    copyByTerminal(stdout, address)
    output.event('address', `${address} (copied, if your terminal lets programs do that)`, { address })
  },

  async remove({ context, client, ask }, allocation) {
    const question = `Remove ${showTunnel(allocation)}? Players are cut at once.`
    const asked = await choose(context, {
      question,
      choices: [
        { value: false, key: 'n', label: 'no, keep it', taken: 'no' },
        { value: true, key: 'y', label: 'yes, remove it', taken: 'yes' },
      ],
    })
    if (asked.kind === 'interrupted') throw interrupted()
    if (asked.kind !== 'answer' || !asked.value) return
    const done: Done<undefined> = await ask('Removing', removeAllocation(client, allocation.id, context.signal))
    if (done.ok) context.output.event('allocation_removed', `removed ${showTunnel(allocation)}`, { allocation })
  },
}

async function retarget({ context, client, ask }: Managing, allocation: Allocation): Promise<void> {
  const asked = await askText(context, {
    question: 'Where does the service listen?',
    hint: 'HOST:PORT, or PORT for this machine',
    initial: showAddress(allocation.localHost, allocation.localPort),
    refuse: (text) => refusalOf(() => parseTarget(text)),
  })
  if (asked.kind === 'interrupted') throw interrupted()
  if (asked.kind !== 'answer') return
  const target = parseTarget(asked.value)
  const done = await ask('Changing', retargetAllocation(client, allocation.id, target, context.signal))
  if (!done.ok) return
  context.output.event('allocation_changed', `changed to ${showTunnel(done.value)}`, { allocation: done.value })
  if (isLoopback(target.localHost)) return
  const address = showAddress(target.localHost, target.localPort)
  context.output.notice('allow_needed', `the agent dials ${address} only when it runs with --allow ${address}`)
}
