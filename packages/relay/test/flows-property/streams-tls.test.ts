import t from 'tap'
import { streamFlows } from './streams.js'

t.test('5,000 random streams under TLS', (t) => streamFlows(t, { encryption: 'tls' }))
