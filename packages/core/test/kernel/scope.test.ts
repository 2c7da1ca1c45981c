import t from 'tap'
import { createScope } from '../../dist/kernel/scope.js'

t.test('undoes in reverse order, one after the other', async (t) => {
  const scope = createScope('test')
  const log: string[] = []
  scope.defer(async () => {
    log.push('first begins')
    await Promise.resolve()
    log.push('first ends')
  })
  scope.defer(async () => {
    log.push('second begins')
    await Promise.resolve()
    log.push('second ends')
  })
  await scope.dispose()
  t.same(log, ['second begins', 'second ends', 'first begins', 'first ends'])
})

t.test('a child is undone in its place among its parent’s disposers', async (t) => {
  const scope = createScope('parent')
  const log: string[] = []
  scope.defer(() => void log.push('before'))
  const child = scope.child('child')
  scope.defer(() => void log.push('after'))
  child.defer(() => void log.push('child one'))
  child.defer(() => void log.push('child two'))
  await scope.dispose()
  t.same(log, ['after', 'child two', 'child one', 'before'])
  t.equal(child.name, 'parent/child')
  t.equal(child.disposed, true)
})

t.test('a child that ended before is not undone again and not kept', async (t) => {
  const scope = createScope('parent')
  let undone = 0
  const child = scope.child('child')
  child.defer(() => void undone++)
  await child.dispose()
  await scope.dispose()
  t.equal(undone, 1)
})

t.test('every disposer runs though some fail, and the failure names the scope', async (t) => {
  const scope = createScope('leaky')
  const log: string[] = []
  scope.defer(() => void log.push('first'))
  scope.defer(() => {
    throw new Error('one')
  })
  scope.defer(() => Promise.reject(new Error('two')))
  await t.rejects(scope.dispose(), { code: 'CORE_ERR_DISPOSE_FAILED', message: /leaky.*two; one/ })
  t.same(log, ['first'])
})

t.test('disposing twice undoes once, and both wait for the end', async (t) => {
  const scope = createScope('twice')
  let undone = 0
  scope.defer(async () => {
    await Promise.resolve()
    undone++
  })
  await Promise.all([scope.dispose(), scope.dispose()])
  t.equal(undone, 1)
})

t.test('its signal is aborted before the first disposer runs', async (t) => {
  const scope = createScope('signal')
  let seen: boolean | undefined
  scope.defer(() => {
    seen = scope.signal.aborted
  })
  t.equal(scope.signal.aborted, false)
  await scope.dispose()
  t.equal(seen, true)
})

t.test('nothing can be deferred once disposal has begun', async (t) => {
  const scope = createScope('late')
  scope.defer(() => void t.throws(() => scope.defer(() => undefined), { code: 'CORE_ERR_SCOPE_DISPOSED' }))
  await scope.dispose()
  t.throws(() => scope.child('x'), { code: 'CORE_ERR_SCOPE_DISPOSED' })
})

t.test('owns disposables of either kind', async (t) => {
  const log: string[] = []
  const scope = createScope('using')
  const sync = { [Symbol.dispose]: () => void log.push('sync') }
  t.equal(scope.use(sync), sync)
  scope.use({ [Symbol.asyncDispose]: async () => void log.push('async') })
  await scope[Symbol.asyncDispose]()
  t.same(log, ['async', 'sync'])
})
