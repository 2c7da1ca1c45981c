import { once } from 'node:events'
import { lockDataDir } from '../../dist/database/data-dir-lock.js'

// A child process that takes a data directory when told `go` and gives it back when told `end`.
const directory = process.argv[2] as string
process.send?.({ ready: true })
await once(process, 'message')
let unlock = (): void => {}
let result = 'taken'
try {
  unlock = await lockDataDir(directory)
} catch (error) {
  result = (error as { code: string }).code
}
const end = once(process, 'message')
process.send?.({ result })
await end
unlock()
process.disconnect()
