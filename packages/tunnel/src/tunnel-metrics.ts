import type { Metrics } from '@sallyport/core'
import type { RelayStatistics } from '@sallyport/relay'
import { Counter, Gauge } from 'prom-client'
import type { Traffic } from './allocations/allocation.js'

interface Measured {
  readonly devicesOnline: () => number
  readonly liveStreams: () => number
  /** Allocations that this instance's relay has, by status. */
  readonly allocations: () => Readonly<Record<string, number>>
  /** What this instance's relay has to do; undefined: it has none. */
  readonly statistics: () => RelayStatistics | undefined
  /** All that passed this instance's relay since its start. */
  readonly traffic: () => Traffic
}

/** Puts the tunnel's figures on `/metrics`; they are read when it is asked for. */
export function addTunnelMetrics({ registry }: Metrics, measured: Measured): void {
  const registers = [registry]
  new Gauge({
    name: 'sallyport_tunnel_devices_online',
    help: 'Devices whose control channel is on this instance',
    registers,
    collect() {
      this.set(measured.devicesOnline())
    },
  })
  new Gauge({
    name: 'sallyport_tunnel_live_streams',
    help: 'Streams of events that are open on this instance',
    registers,
    collect() {
      this.set(measured.liveStreams())
    },
  })
  new Gauge({
    name: 'sallyport_tunnel_allocations',
    help: 'Allocations on the relay of this instance',
    labelNames: ['status'],
    registers,
    collect() {
      this.reset()
      for (const [status, count] of Object.entries(measured.allocations())) this.set({ status }, count)
    },
  })
  new Gauge({
    name: 'sallyport_tunnel_data_connections_ready',
    help: 'Data connections that wait for a player on the relay of this instance',
    registers,
    collect() {
      this.set(measured.statistics()?.readyConnections ?? 0)
    },
  })
  new Gauge({
    name: 'sallyport_tunnel_players_waiting',
    help: 'TCP players who wait for a data connection on the relay of this instance',
    registers,
    collect() {
      this.set(measured.statistics()?.waitingPlayers ?? 0)
    },
  })
  new Counter({
    name: 'sallyport_tunnel_packets_dropped_total',
    help: 'UDP packets of the data port of the relay of this instance that came to nothing',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset()
      const dropped = measured.statistics()?.droppedPackets
      if (dropped !== undefined) for (const [reason, count] of Object.entries(dropped)) this.inc({ reason }, count)
    },
  })
  new Gauge({
    name: 'sallyport_tunnel_connections_open',
    help: "Players' connections that are open now on the relay of this instance",
    registers,
    collect() {
      this.set(measured.traffic().open)
    },
  })
  new Counter({
    name: 'sallyport_tunnel_bytes_total',
    help: 'Payload bytes that passed the relay of this instance; in: from players, out: to players',
    labelNames: ['direction'],
    registers,
    collect() {
      const { bytesIn, bytesOut } = measured.traffic()
      this.reset()
      this.inc({ direction: 'in' }, bytesIn)
      this.inc({ direction: 'out' }, bytesOut)
    },
  })
}
