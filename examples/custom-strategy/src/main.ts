import { randomBytes } from 'node:crypto'
import { createServer, email } from './server.js'

const kernel = createServer(randomBytes(15).toString('base64url'))
// npm and the terminal may both send one: the second must not cut the stop off.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void kernel.stop())
const { port } = await kernel.listen()
console.log(`Try it: curl -H 'X-Forwarded-Email: ${email}' http://localhost:${port}/api/auth/session`)
