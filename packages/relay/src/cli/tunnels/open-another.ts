import type { Asked } from '../terminal/ask.js'
import { askText } from '../terminal/ask-text.js'
import { choose } from '../terminal/choose.js'
import { makeAllocation } from './allocation-requests.js'
import { interrupted, type Managing } from './managing.js'
import { parsePort, parseTarget, refusalOf, showTunnel, type TargetProtocol } from './target.js'

/** Asks for all that a new tunnel needs and makes it; its id, or undefined when none was made. Throws CliError. */
export async function openAnother({ context, client, ask }: Managing): Promise<number | undefined> {
  const protocol = answerOf(
    await choose<TargetProtocol>(context, {
      question: 'What does it carry?',
      choices: [
        { value: 'tcp', key: 't', label: 'TCP (Minecraft Java, most web and game servers)', taken: 'TCP' },
        { value: 'udp', key: 'u', label: 'UDP (Minecraft Bedrock, many shooters)', taken: 'UDP' },
        { value: 'both', key: 'b', label: 'both, on one port number', taken: 'both' },
      ],
    }),
  )
  if (protocol === undefined) return undefined
  const target = answerOf(
    await askText(context, {
      question: 'Where does the service listen?',
      hint: 'PORT on this machine, or HOST:PORT',
      refuse: (text) => refusalOf(() => parseTarget(text)),
    }),
  )
  if (target === undefined) return undefined
  const port = answerOf(
    await askText(context, {
      question: 'Public port?',
      hint: 'empty: any that is free',
      refuse: (text) => (text.trim() === '' ? undefined : refusalOf(() => parsePort(text.trim()))),
    }),
  )
  if (port === undefined) return undefined
  const wish = { ...parseTarget(target), protocol, ...(port.trim() === '' ? {} : { port: parsePort(port.trim()) }) }
  const made = await ask('Opening', makeAllocation(client, wish, context.signal))
  if (!made.ok) return undefined
  for (const allocation of made.value) {
    context.output.event('allocation_made', `opened ${showTunnel(allocation)}`, { allocation })
  }
  return made.value[0]?.id
}

function answerOf<T>(asked: Asked<T>): T | undefined {
  if (asked.kind === 'interrupted') throw interrupted()
  return asked.kind === 'answer' ? asked.value : undefined
}
