import { once } from 'node:events'
import { CONTROL_PROTOCOL, type PanelMessage } from '@sallyport/relay'
import { WebSocket } from 'ws'
import type { Panel } from './panel.js'
import { until } from './until.js'

/** A bare control channel: says what the test says. */
export interface Channel {
  readonly socket: WebSocket
  readonly messages: readonly PanelMessage[]
  /** The close code, when it comes. */
  readonly closed: Promise<number>
  readonly isOpen: boolean
  send(message: unknown): void
  /** The first message of this type that comes or came, after `index` others of it. */
  message<T extends PanelMessage['type']>(type: T, index?: number): Promise<Extract<PanelMessage, { type: T }>>
}

export const hello = { type: 'hello', protocol: CONTROL_PROTOCOL, version: '1.2.3', platform: 'test-x64' }

export async function openChannel(
  panel: Pick<Panel, 'url'>,
  token: string | undefined,
  greet = true,
): Promise<Channel> {
  const url = `${panel.url.replace('http', 'ws')}/api/tunnel/ws`
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const socket = new WebSocket(url, { headers })
  const messages: PanelMessage[] = []
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  socket.on('message', (data) => void messages.push(JSON.parse(String(data))))
  const opened = once(socket, 'open')
  socket.on('error', () => undefined)
  await opened
  const channel: Channel = {
    socket,
    messages,
    closed,
    get isOpen() {
      return socket.readyState === WebSocket.OPEN
    },
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    message: (type, index = 0) =>
      until(`message ${type}`, () => messages.filter((message) => message.type === type)[index] as never),
  }
  if (greet) {
    channel.send(hello)
    await channel.message('state')
  }
  return channel
}

/** The HTTP answer to an upgrade that is not accepted. */
export async function refusedUpgrade(
  panel: Pick<Panel, 'url'>,
  token: string,
): Promise<{ status: number; body: { error: string } }> {
  const socket = new WebSocket(`${panel.url.replace('http', 'ws')}/api/tunnel/ws`, {
    headers: { authorization: `Bearer ${token}` },
  })
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('open', () => reject(new Error('it was accepted')))
    socket.on('unexpected-response', async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk as Buffer)
      request.destroy()
      resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) })
    })
  })
}
