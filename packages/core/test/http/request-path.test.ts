import fc from 'fast-check'
import t from 'tap'
import { isWithin, normalizePath, pathOnly, withoutPrefix } from '../../dist/http/request-path.js'

t.test('undoes every way to write a path', async (t) => {
  for (const target of [
    '/api/tunnel',
    '//api/tunnel',
    '/api//tunnel/',
    '/api/./tunnel',
    '/api/x/../tunnel',
    '/%61pi/tunnel',
    '/api%2Ftunnel',
    '/api/%74unnel?x=1',
    '/api/tunnel#x',
    '/%2561pi/tunnel',
    '/api\\tunnel',
    'http://elsewhere.example/api/tunnel',
    '/../../api/tunnel',
  ]) {
    t.equal(normalizePath(target), '/api/tunnel', target)
  }
  t.equal(normalizePath(''), '/')
  t.equal(normalizePath('*'), '/*')
  t.equal(normalizePath('/%zz/%61'), '/%zz/a')
})

t.test('gives a path that stays as it is', async () => {
  const segment = fc.oneof(fc.string(), fc.constantFrom('..', '.', '%2e', '%2f', '%', '\\', '%25', '%252e%252e'))
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 8 }), (segments) => {
      const path = normalizePath(`/${segments.join('/')}`)
      return path.startsWith('/') && !path.includes('//') && !/\/\.\.?(\/|$)/.test(path)
    }),
  )
})

t.test('compares by whole segments', async (t) => {
  t.ok(isWithin('/api/tunnel', '/api/tunnel'))
  t.ok(isWithin('/API/Tunnel/x', '/api/tunnel'))
  t.notOk(isWithin('/api/tunnels', '/api/tunnel'))
  t.ok(isWithin('/x', '/'))
  t.equal(withoutPrefix('/panel/api', '/panel'), '/api')
  t.equal(withoutPrefix('/panel', '/panel'), '/')
  t.equal(withoutPrefix('/panels', '/panel'), undefined)
  t.equal(pathOnly('/a?token=secret#b'), '/a')
})
