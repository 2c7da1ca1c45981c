// A stand-alone relay with labels, as a program of its own: started with what an enrolment gave (see src/demo/enrol.ts).
import { createRelay, createRelayChannel, fileStorage, memoryStorage } from '@sallyport/relay'

const { PANEL = '', DEVICE_ID = '', RELAY_TOKEN = '', REGION = '', TIER = 'standard' } = process.env
const {
  PUBLIC_HOST = 'localhost',
  BIND_HOST = '127.0.0.1',
  DATA_PORT = '0',
  HOST_GROUP = DEVICE_ID,
  STATE,
} = process.env
if (!PANEL || !DEVICE_ID || !RELAY_TOKEN) {
  process.stderr.write('PANEL, DEVICE_ID and RELAY_TOKEN say which panel this relay is for\n')
  process.exit(2)
}

const relay = createRelay({
  id: DEVICE_ID,
  bindHost: BIND_HOST,
  publicHost: PUBLIC_HOST,
  dataPort: Number(DATA_PORT),
  storage: STATE === undefined ? memoryStorage() : fileStorage(STATE),
})
await relay.start()
const channel = createRelayChannel({
  panel: PANEL,
  token: () => RELAY_TOKEN,
  relay,
  // Relays of one host group stand in for each other whatever the policy says: give each tier groups of its own.
  hello: { ...(REGION && { region: REGION }), labels: { tier: TIER }, hostGroup: HOST_GROUP },
})
channel.on('connected', ({ name }) => console.log(`${name} is connected to the panel`))
channel.on('refused', ({ detail }) => {
  process.stderr.write(`the panel refuses this relay: ${detail}\n`)
  process.exitCode = 3
  void relay.stop()
})
channel.start()

let stopping = false
const stop = (): void => {
  if (stopping) return
  stopping = true
  void channel.stop().then(() => relay.stop())
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
// Of a program that has started it and is gone.
process.on('disconnect', stop)
process.channel?.unref()
