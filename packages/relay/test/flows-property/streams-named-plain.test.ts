import t from 'tap'
import { streamFlows } from './streams.js'

t.test('2,500 random streams without encryption, whose players are named', (t) =>
  streamFlows(t, 'named', { encryption: 'off' }),
)
