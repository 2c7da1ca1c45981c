import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

/** A tiny game server: a lobby in which everybody hears everybody (TCP), and positions (UDP). On 127.0.0.1 alone. */
export interface Game {
  readonly tcpPort: number
  readonly udpPort: number
  close(): Promise<void>
}

const host = '127.0.0.1'
const maxLineLength = 200
const maxPlayers = 100

export async function startGame(): Promise<Game> {
  const lobby = new Set<Socket>()
  const say = (line: string): void => {
    for (const player of lobby) player.write(`${line}\n`)
  }
  let names = 0

  const tcp = createServer({ noDelay: true }, (player) => {
    player.on('error', () => player.destroy())
    if (lobby.size >= maxPlayers) return void player.end('the lobby is full\n')
    names += 1
    const name = `player-${names}`
    lobby.add(player)
    // The server speaks first, as SSH, SMTP and many games do.
    player.write(`welcome ${name}, ${lobby.size} here\n`)
    player.once('close', () => void lobby.delete(player))
    let unread = ''
    player.setEncoding('utf8').on('data', (text: string) => {
      const lines = (unread + text).split('\n')
      unread = lines.pop() ?? ''
      if (unread.length > maxLineLength) return void player.destroy()
      for (const line of lines) say(`${name}: ${line.trimEnd().slice(0, maxLineLength)}`)
    })
  })
  tcp.listen(0, host)

  const udp = createSocket('udp4')
  udp.on('message', (message, { port, address }) => udp.send(`at ${message}`, port, address))
  udp.on('error', () => undefined)
  udp.bind(0, host)

  await Promise.all([once(tcp, 'listening'), once(udp, 'listening')])
  return {
    tcpPort: (tcp.address() as { port: number }).port,
    udpPort: udp.address().port,
    async close() {
      for (const player of lobby) player.destroy()
      tcp.close()
      udp.close()
      await Promise.all([once(tcp, 'close'), once(udp, 'close')])
    },
  }
}
