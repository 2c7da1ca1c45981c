// Many agents in one process, without links: the control channel that real agents have, with its waits. Told by IPC where to
// connect and with which tokens; says how many stand, and when each came back.
import { createControlChannel } from '@sallyport/relay'

const pace = 100
let channels = []
let cameBack = []
let ends = {}

const linkless = {
  connect: () => undefined,
  disconnect: () => undefined,
  links: () => [],
  refusals: () => [],
  on: () => () => undefined,
}

async function connect({ panel, tokens }) {
  let next = 0
  const worker = async () => {
    while (next < tokens.length) {
      const token = tokens[next++]
      const channel = createControlChannel({ panel, token: () => token, agent: linkless })
      channels.push(channel)
      const first = new Promise((resolve) => {
        channel.on('connected', () => {
          cameBack.push(Date.now())
          resolve()
        })
      })
      const count = ({ reason }) => {
        ends[reason] = (ends[reason] ?? 0) + 1
      }
      channel.on('disconnected', count)
      channel.on('refused', count)
      channel.start()
      await first
    }
  }
  // Not all at once: this is not what is measured.
  await Promise.all(Array.from({ length: pace }, worker))
}

process.on('message', async (task) => {
  if (task.connect) {
    await connect(task.connect)
    process.send({ standing: channels.filter(({ connected }) => connected).length })
  }
  if (task.forget) [cameBack, ends] = [[], {}]
  if (task.times) {
    const standing = channels.filter(({ connected }) => connected).length
    process.send({ times: { standing, cameBack, ends } })
  }
  if (task.disconnect) {
    await Promise.all(channels.map((channel) => channel.stop()))
    channels = []
    cameBack = []
    process.send({ disconnected: true })
  }
})
process.send({ ready: true })
