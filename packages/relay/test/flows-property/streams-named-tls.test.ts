import t from 'tap'
import { streamFlows } from './streams.js'

t.test('2,500 random streams under TLS, whose players are named', (t) => streamFlows(t, 'named', { encryption: 'tls' }))
