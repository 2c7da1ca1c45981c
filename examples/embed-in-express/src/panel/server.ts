import { createServer, type IncomingMessage, type Server } from 'node:http'
import express, { type ErrorRequestHandler } from 'express'
import { sallyport } from '../sallyport.js'
import { createConsoles } from './consoles.js'
import { pool } from './database.js'
import { log } from './log.js'
import { mayWriteAny, type User, users } from './users.js'

/** The panel's own web server: routes by Express, and WebSockets. */
export interface PanelServer {
  readonly server: Server
  close(): Promise<void>
}

export async function createPanelServer(): Promise<PanelServer> {
  await sallyport.start()
  const app = express()
  // Before what reads bodies and the like: Sallyport has limits of its own.
  app.use(sallyport.handler)
  app.use(express.json())
  app.get('/', (_request, response) => void response.json({ panel: 'Example Hosting', try: ['/me', '/consoles'] }))

  app.get('/me', async (request, response) => {
    const { id, email, name, may } = await userOf(request)
    response.json({ id, email, name, may })
  })

  app.get('/consoles', async (request, response) => {
    const user = await userOf(request)
    const { rows } = await pool.query('SELECT * FROM consoles WHERE user_id = $1 OR $2 ORDER BY name', [
      user.id,
      mayWriteAny(user),
    ])
    response.json({ consoles: rows.map(({ name }) => ({ name, url: `/consoles/${name}` })) })
  })

  app.use(answerError)
  const server = createServer(app)
  const consoles = createConsoles()
  server.on('upgrade', (request, socket, head) => {
    sallyport.upgrade(request, socket, head, () => void consoles.open(request, socket, head, userOf))
  })
  const close = async (): Promise<void> => {
    server.close()
    consoles.close()
    await sallyport.stop()
    server.closeAllConnections()
  }
  return { server, close }
}

/** Who makes a request, or opens a WebSocket. API keys are for tunnels: the panel's own routes are for people. */
async function userOf(request: IncomingMessage): Promise<User> {
  const { id } = await sallyport.authenticate(request, { kinds: ['user'] })
  const user = await users.findById(id)
  if (!user) throw Object.assign(new Error('there is no such user'), { status: 401, expose: true })
  return user
}

const answerError: ErrorRequestHandler = (error, _request, response, _next) => {
  const { status = 500, expose = false, headers = {}, message } = error
  if (status === 500) log.error({ err: error }, 'a request failed')
  response
    .status(status)
    .set(headers)
    .json({ error: expose ? message : 'Something went wrong' })
}
