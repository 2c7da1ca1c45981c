import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import t from 'tap'
import { readAll, readBytes, until } from '../support.js'
import { play, socketPair, stopWriting, tlsPair, wire } from './exchange-support.js'

for (const pair of [socketPair, tlsPair])
  for (const last of ['player', 'target'] as const)
    t.test(
      `the last bytes of one player are not written over by those of the next: ${pair.name}, ${last}`,
      async (t) => {
        const on = await wire(t, { pair })
        const { left, right, near } = await play(t, on)
        // Its frame is of whole TLS records, so that the end comes in the same turn.
        const said = randomBytes(32_763)
        right.write(Buffer.alloc(400_000))
        await readBytes(left, 400_000)
        if (last === 'target') {
          right.resume()
          left.end()
          await once(right, 'end')
        }
        const release = stopWriting(near)
        // So that the last of it and its end are read together.
        on.relay.hold()
        right.end(said)
        await until(() => on.agentSocket.writableLength === 0 && right.writableFinished)
        if (last === 'target') await until(() => on.events.includes('agent ready'))
        on.relay.resume()
        await until(() => near.writableLength === said.length)
        if (last === 'player') {
          right.resume()
          left.end()
        }
        await until(() => on.relay.ready)
        const next = await play(t, on)
        next.right.write(Buffer.alloc(200_000))
        await readBytes(next.left, 200_000)
        const heard = readAll(left)
        release()
        t.ok((await heard).equals(said))
      },
    )
