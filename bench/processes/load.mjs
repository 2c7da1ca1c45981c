// Players: runs what bench/load exports, in a process of its own so that what it keeps open is its own too.
import * as connections from '../load/connections.mjs'
import * as flood from '../load/flood.mjs'
import * as streams from '../load/streams.mjs'
import * as udpPlayers from '../load/udp-players.mjs'
import { answerCalls } from './calls.mjs'

answerCalls({ ...connections, ...streams, ...udpPlayers, ...flood })
