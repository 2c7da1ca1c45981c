import t from 'tap'
import { streamFlows } from './streams.js'

t.test('2,500 random streams without encryption, each on an allocation of its own', (t) =>
  streamFlows(t, 'alone', { encryption: 'off' }),
)
