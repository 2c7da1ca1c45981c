import { createPrivateKey } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import t from 'tap'
import { troubleWith } from '../../../dist/cli/relay/certificate-check.js'
import { followCertificate, readCertificate } from '../../../dist/cli/relay/certificate-files.js'
import type { Output } from '../../../dist/cli/terminal/output.js'
import { checkCertificate } from '../../../dist/identity/relay-identity.js'
import { createSelfSigned } from '../../../dist/identity/self-signed.js'
import type { CertificatePair } from '../../../dist/index.js'
import { until } from '../../support.js'
import { createHome } from '../command.js'
import { enrolledRelay, greet } from './relay-world.js'

const DAY_MS = 86_400_000

function encrypted(key: string): string {
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const
  return String(createPrivateKey(key).export(options))
}

t.test('a certificate of files, renewed while it runs', async (t) => {
  const { panel, home } = await enrolledRelay(t)
  const [certificate, privateKey] = [`${home.config}.cert.pem`, `${home.config}.key.pem`]
  const pair = createSelfSigned({ commonName: 'localhost' })
  await writeFile(certificate, pair.cert)
  await writeFile(privateKey, pair.key)
  const args = ['relay', '--data-port', '0', '--certificate', certificate]
  const command = home.start([...args, '--private-key', privateKey])
  const { relay } = await greet(await panel.nextConnection())
  t.match(relay, { encryption: 'tls', fingerprint: undefined })
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)

  const half = home.start(args)
  t.equal(await half.exit, 2)
  t.match(half.stderr(), /belong together/)
  const missing = home.start([...args, '--private-key', `${privateKey}.gone`])
  t.equal(await missing.exit, 1)
  t.match(missing.stderr(), /key\.pem\.gone cannot be read \(ENOENT\)/)
  const off = home.start([...args, '--private-key', privateKey, '--encryption', 'off'])
  t.equal(await off.exit, 1)
  t.match(off.stderr(), /error: --certificate .*cert\.pem with --private-key .*key\.pem: there is no encryption/)
  await writeFile(privateKey, createSelfSigned().key)
  const mixed = home.start([...args, '--private-key', privateKey])
  t.equal(await mixed.exit, 1)
  t.match(mixed.stderr(), /the private key is not that of the certificate/)
  const garbage: [string, string, RegExp][] = [
    [privateKey, 'nonsense', /error: --private-key .*key\.pem is no private key in PEM/],
    [privateKey, encrypted(pair.key), /error: --private-key .*key\.pem is protected by a passphrase/],
    [certificate, 'nonsense', /error: --certificate .*cert\.pem is no certificate in PEM/],
  ]
  for (const [path, content, words] of garbage) {
    await writeFile(path, content)
    const refused = home.start([...args, '--private-key', privateKey])
    t.equal(await refused.exit, 1)
    t.match(refused.stderr(), words)
  }
})

t.test('a certificate that is for another host, or ends soon, is warned of', async (t) => {
  const { panel, home } = await enrolledRelay(t)
  const [certificate, privateKey] = [`${home.config}.cert.pem`, `${home.config}.key.pem`]
  const pair = createSelfSigned({ commonName: 'play.example.com', notAfter: new Date(Date.now() + 3.5 * DAY_MS) })
  await writeFile(certificate, pair.cert)
  await writeFile(privateKey, pair.key)
  const files = ['--certificate', certificate, '--private-key', privateKey]
  for (const [host, words] of [
    [
      'eu.example.com',
      /^the certificate .*cert\.pem: it is not for 'eu\.example\.com', but for play\.example\.com: agents will refuse it$/m,
    ],
    ['play.example.com', /^the certificate .*cert\.pem: it expires in 3 days: renew it$/m],
  ] as const) {
    const command = home.start(['relay', '--data-port', '0', '--public-host', host, ...files])
    await command.says(words)
    await greet(await panel.nextConnection())
    command.kill('SIGTERM')
    t.equal(await command.exit, 0)
    t.equal(command.stderr().match(/the certificate /g)?.length, 1)
  }
  t.equal(troubleWith(pair.cert, 'play.example.com', Date.now() - 30 * DAY_MS), undefined)
  t.match(troubleWith(pair.cert, 'play.example.com', Date.now() + 3 * DAY_MS), /within a day/)
  t.match(troubleWith(pair.cert, 'play.example.com', Date.now() + 4 * DAY_MS), /has expired/)
  t.match(troubleWith(pair.cert, '192.0.2.1'), /not for '192\.0\.2\.1'/)
})

t.test('files that were renewed are taken, bad ones are said once and not', async (t) => {
  const home = await createHome(t)
  const [certificate, privateKey] = [`${home.config}.cert.pem`, `${home.config}.key.pem`]
  const forLocalhost = () => createSelfSigned({ commonName: 'localhost' })
  const write = (pair: CertificatePair) =>
    Promise.all([writeFile(certificate, pair.cert), writeFile(privateKey, pair.key)])
  await write(forLocalhost())
  const files = await readCertificate(certificate, privateKey)
  if (files === undefined) throw new Error('no files')
  const taken: CertificatePair[] = []
  const said: string[] = []
  const setCertificate = (pair: CertificatePair) => {
    checkCertificate(pair)
    taken.push(pair)
  }
  const say = (event: string) => void said.push(event)
  const output = { event: say, notice: say } as unknown as Output
  const watch = followCertificate(files, { setCertificate, publicHost: 'localhost' }, output, 5)
  t.teardown(watch.end)
  const second = forLocalhost()
  await write(second)
  await until(() => taken.some(({ cert, key }) => cert === second.cert && key === second.key), 'the second')
  said.length = 0
  await writeFile(privateKey, 'nonsense')
  await until(() => said.length > 0, 'a word')
  const third = forLocalhost()
  await write(third)
  await until(() => taken.at(-1)?.key === third.key, 'the third')
  t.match(said[0], 'certificate_not_renewed')
  t.equal(said.at(-1), 'certificate_renewed')
  await rm(certificate)
  await until(() => said.at(-1) === 'certificate_not_renewed', 'the missing file')
  t.equal(taken.at(-1)?.cert, third.cert)
})
