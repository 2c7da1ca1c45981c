import t from 'tap'
import { streamFlows } from './streams.js'

t.test('5,000 random streams without encryption', (t) => streamFlows(t, { encryption: 'off' }))
