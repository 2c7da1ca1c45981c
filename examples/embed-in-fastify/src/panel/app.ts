import { readFile } from 'node:fs/promises'
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest } from 'fastify'
import { sallyport } from '../sallyport.js'
import { type Account, accounts } from './accounts.js'
import { log } from './log.js'
import { type GameServer, servers } from './servers.js'

/** The panel's own web server. */
export async function createApp(): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = log
  const app = fastify({ loggerInstance })
  await app.register(sallyport.fastify)

  /** The account that makes a request. API keys are for tunnels: the panel's own routes are for people. */
  const accountOf = async (request: FastifyRequest): Promise<Account> => {
    const { id } = await sallyport.authenticate(request, { kinds: ['user'] })
    const account = await accounts.findById(id)
    if (!account) throw refusal(401, 'there is no such account')
    return account
  }

  app.get('/', async () => ({ panel: 'Example Hosting', try: ['/servers', '/api/docs', '/tunnel/verify'] }))

  app.get('/servers', async (request) => {
    const account = await accountOf(request)
    return { servers: may(account, 'servers.any.view') ? await servers.all() : await servers.ofAccount(account.id) }
  })

  app.post<{ Params: { id: string } }>('/servers/:id/restart', async (request) => {
    const account = await accountOf(request)
    const server = await findVisible(account, request.params.id)
    if (server.account_id !== account.id && !may(account, 'servers.any.restart')) {
      throw refusal(403, 'only admins restart the servers of others')
    }
    return { server: await servers.restart(server.id) }
  })

  // Where `sallyport enroll` sends people. Its page is the panel's, as all pages are.
  app.get('/tunnel/verify', async (_request, reply) =>
    reply.type('text/html').send(await readFile(new URL('../../pages/verify.html', import.meta.url))),
  )
  return app
}

/** The panel's own permissions, as its table of roles has them. */
function may(account: Account, permission: string): boolean {
  return account.permissions.includes(permission)
}

async function findVisible(account: Account, id: string): Promise<GameServer> {
  const server = /^[1-9]\d{0,8}$/.test(id) ? await servers.find(Number(id)) : undefined
  if (server && (server.account_id === account.id || may(account, 'servers.any.view'))) return server
  throw refusal(404, 'there is no such server')
}

function refusal(statusCode: number, message: string): Error {
  return Object.assign(new Error(message), { statusCode })
}
