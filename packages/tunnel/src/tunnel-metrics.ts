import type { Metrics } from '@sallyport/core'
import { Counter, Gauge } from 'prom-client'
import type { Traffic } from './allocations/allocation.js'

interface Measured {
  readonly devicesOnline: () => number
  /** Allocations that this instance's relay has, by status. */
  readonly allocations: () => Readonly<Record<string, number>>
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
