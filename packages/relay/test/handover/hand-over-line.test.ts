import { EventEmitter } from 'node:events'
import t from 'tap'
import { HandOverLine } from '../../dist/handover/hand-over-line.js'

/** Queues what it is given, as Node does behind a handle that is not acknowledged, and says nothing of it afterwards. */
class Stuck extends EventEmitter {
  connected = true
  sent = 0

  send(): boolean {
    this.sent += 1
    return false
  }
}

for (const event of ['disconnect', 'exit'])
  t.test(`what is not written at ${event} never will be`, async (t) => {
    const channel = new Stuck()
    let ends = 0
    const onEnd = () => {
      ends += 1
    }
    const line = new HandOverLine(channel, { onMessage: () => false, onEnd })
    const sends = [line.send('player'), line.send('player')]
    t.equal(channel.sent, 2)
    channel.emit(event)
    t.same(await Promise.all(sends), [false, false])
    t.equal(await line.send('traffic'), false)
    t.equal(ends, 1)
  })

t.test('who closes the line waits for nothing', async (t) => {
  const line = new HandOverLine(new Stuck(), { onMessage: () => false, onEnd: () => t.fail('it was closed here') })
  const sent = line.send('done')
  line.close()
  t.equal(await sent, false)
})
