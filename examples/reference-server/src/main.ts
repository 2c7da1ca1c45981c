import { listenForSignals } from './signals.js'

// A signal counts from here on. The rest is loaded after it, for that takes a second on a slow machine.
const signals = listenForSignals((line) => void process.stderr.write(`${line}\n`))
const { run } = await import('./run.js')
await run(signals)
