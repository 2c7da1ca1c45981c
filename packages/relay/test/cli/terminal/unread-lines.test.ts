import { PassThrough } from 'node:stream'
import t from 'tap'
import { createOutput } from '../../../dist/cli/terminal/output.js'

for (const json of [false, true]) {
  t.test(
    `lines that nobody reads${json ? ', with --json' : ''}: a bounded number waits, the rest is counted`,
    async (t) => {
      const stdout = new PassThrough()
      const output = createOutput({ stdout, stderr: new PassThrough(), json, verbose: false })
      for (let line = 0; line < 30_000; line += 1) output.event('test', `${line} ${'x'.repeat(90)}`)
      t.ok(stdout.readableLength + stdout.writableLength < 3 * 1_048_576, 'not all of it waits')
      let text = ''
      stdout.on('data', (chunk) => {
        text += chunk
      })
      await new Promise((resolve) => stdout.once('drain', resolve))
      output.event('test', 'after')
      await new Promise((resolve) => setImmediate(resolve))
      const lines = text.trimEnd().split('\n')
      t.match(lines.at(-1), /after/)
      const [, count = ''] = /(\d+) lines are missing here/.exec(lines.at(-2) ?? '') ?? []
      t.equal(lines.length - 2 + Number(count), 30_000)
      if (json) t.match(JSON.parse(lines.at(-2) ?? ''), { event: 'lines_missing', lines: Number(count) })
    },
  )
}
