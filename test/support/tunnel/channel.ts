import { CONTROL_PATH, CONTROL_PROTOCOL, type PanelMessage } from '@sallyport/relay'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import { event, until, within } from '../deadline.js'

/** A bare control channel: says what the test says. */
export interface Channel {
  readonly socket: WebSocket
  readonly messages: readonly PanelMessage[]
  /** The close code, when it comes. */
  readonly closed: Promise<number>
  send(message: unknown): void
  /** The first message of this type that comes or came, after `index` others of it. */
  message<T extends PanelMessage['type']>(type: T, index?: number): Promise<Extract<PanelMessage, { type: T }>>
  /** The newest `state`. */
  state(): Extract<PanelMessage, { type: 'state' }> | undefined
}

export const hello = { type: 'hello', protocol: CONTROL_PROTOCOL, version: '1.2.3', platform: 'test-x64' }

export function channelUrl(panelUrl: string): string {
  const url = new URL(CONTROL_PATH, panelUrl)
  url.protocol = 'ws:'
  if (url.hostname === 'localhost') url.hostname = '127.0.0.1'
  return url.href
}

/** Opens one; with `greet`, which is the default, it says hello and waits for the first state. */
export async function openChannel(t: Test, panelUrl: string, token: string, greet = true): Promise<Channel> {
  const socket = new WebSocket(channelUrl(panelUrl), { headers: { authorization: `Bearer ${token}` } })
  t.teardown(() => socket.terminate())
  const messages: PanelMessage[] = []
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  socket.on('message', (data) => void messages.push(JSON.parse(String(data))))
  const opened = event(socket, 'open')
  socket.on('error', () => undefined)
  await opened
  const channel: Channel = {
    socket,
    messages,
    closed,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    message: (type, index = 0) =>
      until(`message ${type}`, () => messages.filter((message) => message.type === type)[index] as never),
    state: () => messages.findLast((message) => message.type === 'state'),
  }
  if (greet) {
    channel.send(hello)
    await channel.message('state')
  }
  return channel
}

/** Status of a refused upgrade, or the close code of one that is accepted only to say so. */
export async function refusal(
  t: Test,
  panelUrl: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ code: number; error: string | undefined }> {
  const socket = new WebSocket(channelUrl(panelUrl), { headers })
  t.teardown(() => socket.terminate())
  socket.on('error', () => undefined)
  return within(
    'the refusal',
    new Promise((resolve) => {
      socket.on('unexpected-response', (_, response) => {
        response.setEncoding('utf8')
        let text = ''
        response.on('data', (piece: string) => {
          text += piece
        })
        response.on('end', () => resolve({ code: response.statusCode ?? 0, error: errorOf(text) }))
      })
      socket.on('close', (code) => resolve({ code, error: undefined }))
    }),
  )
}

function errorOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { error?: string }).error
  } catch {
    return undefined
  }
}
