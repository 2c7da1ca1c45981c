import { createTestLogger } from '@sallyport/core/testing'
import t from 'tap'
import { createBackground } from '../../dist/sign-in/background.js'

function gate(): { readonly open: () => void; readonly passed: Promise<void> } {
  let open = (): void => undefined
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, passed }
}

t.test('begins after the present turn, and drains', async (t) => {
  const background = createBackground(createTestLogger().logger)
  const order: string[] = []
  const { open, passed } = gate()
  background.run('work', async () => {
    order.push('begun')
    await passed
    order.push('ended')
  })
  await Promise.resolve()
  order.push('answered')
  const drained = background.drain(new AbortController().signal).then(() => order.push('drained'))
  await new Promise((resolve) => setImmediate(resolve))
  open()
  await drained
  t.same(order, ['answered', 'begun', 'ended', 'drained'])
  await background.drain(new AbortController().signal)
})

t.test('what fails is logged, and the next is done', async (t) => {
  const log = createTestLogger()
  const background = createBackground(log.logger)
  let done = 0
  background.run('the first', () => Promise.reject(new Error('down')))
  background.run('the second', () => {
    throw new Error('at once')
  })
  background.run('the third', async () => {
    done += 1
  })
  await background.drain(new AbortController().signal)
  t.equal(done, 1)
  t.same(
    log.lines.map(({ msg, level }) => [msg, level]),
    [
      ['the first failed', 40],
      ['the second failed', 40],
    ],
  )
})

t.test('a few at a time; what finds the line full is dropped and logged', async (t) => {
  const log = createTestLogger()
  const background = createBackground(log.logger)
  const { open, passed } = gate()
  let running = 0
  let most = 0
  let done = 0
  for (let n = 0; n < 1_010; n += 1) {
    background.run('work', async () => {
      running += 1
      most = Math.max(most, running)
      await passed
      running -= 1
      done += 1
    })
  }
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  open()
  await background.drain(new AbortController().signal)
  t.equal(most, 4)
  t.equal(done, 1_004)
  t.equal(log.lines.length, 6)
})

t.test('a stop waits for a while and no longer, and then takes nothing more', async (t) => {
  const log = createTestLogger()
  const background = createBackground(log.logger)
  background.run('work', () => new Promise(() => undefined))
  await new Promise((resolve) => setImmediate(resolve))
  await background.drain(AbortSignal.abort())
  const controller = new AbortController()
  const drained = background.drain(controller.signal)
  controller.abort()
  await drained
  await background.close()
  let ran = false
  background.run('too late', async () => {
    ran = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  t.notOk(ran)
  t.match(log.text, /too late failed/)
})
