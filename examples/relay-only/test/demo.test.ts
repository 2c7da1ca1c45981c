import t from 'tap'
import { chatOnce, moveOnce } from './support/players.js'
import { run } from './support/program.js'

t.test('one command shows a player going through TCP and UDP, and ends', async (t) => {
  const demo = run(t, 'dist/main.js', ['--seconds', '5'])
  t.equal(await demo.code, 0, demo.errors)
  t.match(demo.output, /^relay ready: players join at localhost:\d+ \(TCP\) and localhost:\d+ \(UDP\)$/m)
  t.match(demo.output, /^tcp \d+: 1 here, 1 so far, [1-9]\d* bytes in, [1-9]\d* out$/m, 'counts are live')
  t.match(demo.output, /^udp \d+: 1 here, 1 so far, [1-9]\d* bytes in, [1-9]\d* out$/m)
  t.match(
    demo.output,
    /^a player heard [1-9]\d* lines, from 'welcome .*' to '.*hello.*', and [1-9]\d* answers by UDP$/m,
  )
  t.equal(demo.errors, '')
})

t.test('it stays, so that one can join, until a signal', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const demo = run(t, 'dist/main.js')
    const [, tcp, udp] = await demo.line(/localhost:(\d+) \(TCP\) and localhost:(\d+) \(UDP\)/)
    t.match(await chatOnce(Number(tcp), 'me too'), /^welcome player-\d+, \d here\n/)
    t.equal(await moveOnce(Number(udp), '7,7'), 'at 7,7')
    t.equal(await demo.stop(signal), 0)
    t.equal(demo.errors, '')
  }
})

t.test('what is no number of seconds is refused', async (t) => {
  for (const args of [['--seconds', '0'], ['--seconds', 'x'], ['--seconds'], ['--what'], ['thing']]) {
    const demo = run(t, 'dist/main.js', args)
    t.equal(await demo.code, 2, args.join(' '))
    t.equal(demo.errors.split('\n').length, 2, `one line: ${demo.errors}`)
  }
})
