import t from 'tap'
import { CliError } from '../../../dist/cli/exit.js'
import { proxyFor, relayProxy, showProxy } from '../../../dist/cli/panel/proxy.js'

const PROXY = 'http://proxy.example:3128'

function proxied(url: string, env: Record<string, string>): string | undefined {
  return proxyFor(new URL(url), env)?.href
}

t.test('each scheme has its variable, lower case goes before upper case', async (t) => {
  const env = { HTTPS_PROXY: 'http://secure:1', HTTP_PROXY: 'http://plain:2' }
  t.equal(proxied('https://panel.example', env), 'http://secure:1/')
  t.equal(proxied('http://panel.example', env), 'http://plain:2/')
  t.equal(proxied('https://panel.example', { HTTP_PROXY: PROXY }), undefined)
  t.equal(proxied('https://panel.example', { HTTPS_PROXY: PROXY, https_proxy: 'http://lower:3' }), 'http://lower:3/')
  t.equal(proxied('https://panel.example', { HTTPS_PROXY: PROXY, https_proxy: '' }), `${PROXY}/`, 'empty is unset')
  t.equal(proxied('https://panel.example', { HTTPS_PROXY: ' ' }), undefined)
  t.equal(proxied('https://panel.example', {}), undefined)
})

t.test('a value may lack its scheme, and may hold credentials that are not shown', async (t) => {
  t.equal(proxied('https://panel.example', { HTTPS_PROXY: 'proxy.example:3128' }), `${PROXY}/`)
  t.equal(proxied('https://panel.example', { HTTPS_PROXY: '10.0.0.1:3128' }), 'http://10.0.0.1:3128/')
  const secret = proxyFor(new URL('https://panel.example'), { HTTPS_PROXY: 'https://me:secret@proxy.example:8443' })
  t.match(secret, { username: 'me', password: 'secret', host: 'proxy.example:8443' })
  t.equal(secret && showProxy(secret), 'https://proxy.example:8443')
})

t.test('a value that cannot be used is refused by name, without repeating it', async (t) => {
  for (const value of [
    'http://:secret@',
    'http://me:secret@pro xy',
    'socks5://me:secret@proxy:1080',
    'ftp://secret@x',
  ]) {
    try {
      proxied('https://panel.example', { HTTPS_PROXY: value })
      t.fail(value)
    } catch (error) {
      t.ok(error instanceof CliError)
      t.match(error, { code: 'bad_proxy', exitCode: 2, message: /^HTTPS_PROXY / })
      t.notMatch((error as Error).message, /secret/)
    }
  }
})

t.test('NO_PROXY names hosts with all below them, addresses, ranges, ports, or everything', async (t) => {
  const reached = (noProxy: string, url: string) =>
    proxied(url, { HTTPS_PROXY: PROXY, HTTP_PROXY: PROXY, NO_PROXY: noProxy }) === undefined ? 'directly' : 'proxy'
  for (const [noProxy, url, expected] of [
    ['*', 'https://panel.example', 'directly'],
    ['panel.example', 'https://panel.example', 'directly'],
    ['Panel.Example', 'https://PANEL.example', 'directly'],
    ['example', 'https://panel.example', 'directly'],
    ['.example', 'https://panel.example', 'directly'],
    ['*.example', 'https://panel.example', 'directly'],
    ['.panel.example', 'https://panel.example', 'directly'],
    ['anel.example', 'https://panel.example', 'proxy'],
    ['panel.example', 'https://panel.example.org', 'proxy'],
    ['panel.example', 'https://panel.example.', 'directly'],
    ['other.example, panel.example', 'https://panel.example', 'directly'],
    ['other.example panel.example', 'https://panel.example', 'directly'],
    ['panel.example:443', 'https://panel.example', 'directly'],
    ['panel.example:8443', 'https://panel.example', 'proxy'],
    ['panel.example:8443', 'https://panel.example:8443', 'directly'],
    ['localhost', 'http://localhost:8080', 'directly'],
    ['127.0.0.1', 'http://127.0.0.1:8080', 'directly'],
    ['127.0.0.1:80', 'http://127.0.0.1:8080', 'proxy'],
    ['127.0.0.0/8', 'http://127.3.4.5:8080', 'directly'],
    ['10.0.0.0/8', 'http://11.0.0.1', 'proxy'],
    ['::1', 'http://[::1]:8080', 'directly'],
    ['[::1]', 'http://[::1]:8080', 'directly'],
    ['[::1]:8080', 'http://[::1]:8080', 'directly'],
    ['[::1]:80', 'http://[::1]:8080', 'proxy'],
    ['fd00::/8', 'http://[fd12::3]', 'directly'],
    ['', 'https://panel.example', 'proxy'],
    [', ,', 'https://panel.example', 'proxy'],
    ['.', 'https://panel.example', 'proxy'],
  ] as const)
    t.equal(reached(noProxy, url), expected, `NO_PROXY=${noProxy} ${url}`)
})

t.test('relays are reached as an https URL would be', async (t) => {
  const choose = relayProxy({ HTTPS_PROXY: PROXY, NO_PROXY: 'near.example,fd00::/8' })
  t.equal(choose({ host: 'far.example', port: 7_350 })?.href, `${PROXY}/`)
  t.equal(choose({ host: 'near.example', port: 7_350 }), undefined)
  t.equal(choose({ host: 'fd00::1', port: 7_350 }), undefined)
  t.equal(choose({ host: 'no host', port: 7_350 }), undefined)
})
