import t from 'tap'
import { defineErrors, isSallyportError, SallyportError } from '../../dist/index.js'

const errors = defineErrors('TEST', {
  PLAIN: { status: 400, message: 'plain' },
  HOLES: { status: 409, message: '{who} took {what}', error: 'taken' },
  HIDDEN: { status: 500, message: 'secret insides' },
  SHOWN: { status: 503, message: 'come back', expose: true },
})

t.test('a factory fills the holes and carries code, status and snake-case error', async (t) => {
  const error = errors.HOLES({ who: 'Ann', what: 7 })
  t.type(error, SallyportError)
  t.match(error, { code: 'TEST_ERR_HOLES', status: 409, error: 'taken', message: 'Ann took 7', expose: true })
  t.match(errors.PLAIN(), { error: 'plain' })
})

t.test('a hole is filled literally, never as a replacement pattern', async (t) => {
  t.equal(errors.HOLES({ who: '$&', what: '{who}' }).message, '$& took {who}')
})

t.test('only errors below 500, or those that say so, show their message', async (t) => {
  t.equal(errors.HIDDEN().expose, false)
  t.equal(errors.SHOWN().expose, true)
})

t.test('options reach the error', async (t) => {
  const cause = new Error('why')
  const fields = [{ path: '/a', message: 'bad' }]
  const error = errors.PLAIN(undefined, { cause, errors: fields, retryAfter: 3, headers: { allow: 'GET' } })
  t.equal(error.cause, cause)
  t.match(error, { errors: fields, retryAfter: 3, headers: { allow: 'GET' } })
})

t.test('errors are told apart by code, across copies of the package', async (t) => {
  const foreign = Object.assign(new Error('x'), { name: 'SallyportError', code: 'TEST_ERR_PLAIN', status: 400 })
  t.equal(errors.PLAIN.is(errors.PLAIN()), true)
  t.equal(errors.PLAIN.is(foreign), true)
  t.equal(errors.PLAIN.is(errors.SHOWN()), false)
  t.equal(isSallyportError(new Error('x')), false)
  t.equal(isSallyportError(undefined), false)
})

t.test('the stack begins where the error was made', async (t) => {
  t.match(errors.PLAIN().stack?.split('\n')[1], /errors\.test/)
})
