import { chisel } from './chisel.mjs'
import { direct } from './direct.mjs'
import { frp } from './frp.mjs'
import { nginx } from './nginx.mjs'
import { rathole } from './rathole.mjs'
import { sallyport } from './sallyport.mjs'
import { ssh } from './ssh.mjs'

/**
 * What is compared. `start` runs a system between players on `relaySide` and the service, which is on `agentSide` (both `{ bind, address,
 * inside }`: what to bind, where the other side finds it, in which network namespace). It gives the players' `host`, `tcp` and
 * `udp`, and `resident()`: the bytes of relay and agent.
 */
export const systems = {
  plain: sallyport('off'),
  tls: sallyport('tls'),
  direct,
  nginx: nginx(),
  'nginx-64k': nginx('64k'),
  frp,
  rathole,
  chisel,
  ssh,
}

export const peers = ['frp', 'rathole', 'chisel', 'ssh']
export const udpPeers = ['frp', 'rathole', 'chisel']
