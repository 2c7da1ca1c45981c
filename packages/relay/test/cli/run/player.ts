import { connect } from 'node:net'
import { within } from '../../support.js'

/** What a player is sent until the end. */
export function readAll(port: number): Promise<string> {
  const end = new Promise<string>((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1')
    socket.on('data', (data) => {
      text += data
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
  return within(end, `the end of the connection to ${port}`)
}
