// A relay in a process of its own, steered by its parent.
import { createRelay, fileStorage, type RelayOptions, type RelayState } from '../../dist/index.js'
import { addressOf } from '../support.js'
import { serveParent } from './serve-parent.js'

const { storage, ...options } = JSON.parse(process.argv[2] ?? '{}') as Omit<RelayOptions, 'storage'> & {
  storage?: string
}
const relay = createRelay({
  dataPort: 0,
  ...options,
  ...(storage === undefined ? {} : { storage: fileStorage(storage) }),
})
await relay.start()
const tell = serveParent({
  apply: (state: RelayState) => relay.apply(state),
  status: () => relay.status(),
  traffic: () => relay.traffic(),
  devices: () => relay.devices(),
  address: (device: string) => addressOf(relay, device),
  memory: () => process.memoryUsage(),
})
relay.on('connection', (event) => tell('connection', event))
