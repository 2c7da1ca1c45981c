// The same with everything that there is: every strategy, tunnels and a relay, people signed in, streams and channels open.
import t from 'tap'
import { checkUnloading } from '../support/embedding/unloading.js'
import { withoutPostgres } from '../support/real-servers.js'

/** `SALLYPORT_WHOLE_LOADS=1000`, with a `TAP_TIMEOUT` as long, has as many as there are of core alone. */
const loads = Number(process.env['SALLYPORT_WHOLE_LOADS'] ?? 150)
const timeoutMs = 180_000 + loads * 300
t.setTimeout(timeoutMs)

t.test(`${loads} loads of everything leave nothing behind`, { skip: withoutPostgres, timeout: timeoutMs }, (t) =>
  checkUnloading(t, { kind: 'whole', loads, timeoutMs }),
)
