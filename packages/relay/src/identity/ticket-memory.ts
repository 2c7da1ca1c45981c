/** What must be remembered so that a ticket works once and a revocation lasts; kept in the relay's storage. */

export interface DeviceMarks {
  /** Tickets stamped up to this are dead. */
  revokedAt: number
  /** Resume tickets stamped before this are dead. */
  resumeFrom: number
}

/** JSON form. */
export interface TicketMemorySnapshot {
  lastStamp: number
  /** For devices not in `devices`. */
  cutoff: number
  devices: [deviceId: string, revokedAt: number, resumeFrom: number][]
  spent: [nonce: string, expiresAtMs: number][]
}

interface Bounds {
  maxSpentTickets: number
  maxRememberedDevices: number
  resumeLifeMs: number
}

export class TicketMemory {
  readonly #bounds: Bounds
  readonly #onChange: () => void
  readonly #devices: Map<string, DeviceMarks> = new Map()
  readonly #spent: Map<string, number> = new Map()
  #cutoff = 0
  #lastStamp = 0
  #sweptAt = 0

  constructor(bounds: Bounds, onChange: () => void) {
    this.#bounds = bounds
    this.#onChange = onChange
  }

  /** The time, or one more than the last stamp when the clock has not moved or went back. */
  nextStamp(nowMs: number): number {
    this.#lastStamp = Math.max(nowMs, this.#lastStamp + 1)
    return this.#lastStamp
  }

  marks(deviceId: string): DeviceMarks {
    return this.#devices.get(deviceId) ?? { revokedAt: this.#cutoff, resumeFrom: this.#cutoff }
  }

  mark(deviceId: string, change: Partial<DeviceMarks>): void {
    const known = this.marks(deviceId)
    const marks = {
      revokedAt: Math.max(known.revokedAt, change.revokedAt ?? 0),
      resumeFrom: Math.max(known.resumeFrom, change.resumeFrom ?? 0),
    }
    // Re-inserted, so that the map's order is by last change and the first is the one to forget.
    this.#devices.delete(deviceId)
    this.#devices.set(deviceId, marks)
    this.#forgetDevices()
    this.#onChange()
  }

  /** Synchronous and therefore atomic: of two redemptions of one nonce exactly one gets `spent`. */
  spend(nonce: string, expiresAtMs: number, nowMs: number): 'spent' | 'used' | 'full' {
    if (this.#spent.has(nonce)) return 'used'
    if (this.#spent.size >= this.#bounds.maxSpentTickets) this.#sweepSpent(nowMs)
    if (this.#spent.size >= this.#bounds.maxSpentTickets) return 'full'
    this.#spent.set(nonce, expiresAtMs)
    this.#onChange()
    return 'spent'
  }

  /** Nothing issued until now holds any more, for any device. */
  revokeAll(nowMs: number): void {
    this.#cutoff = this.nextStamp(nowMs)
    this.#devices.clear()
    this.#onChange()
  }

  snapshot(nowMs: number): TicketMemorySnapshot {
    this.#sweepSpent(nowMs)
    return {
      lastStamp: this.#lastStamp,
      cutoff: this.#cutoff,
      devices: [...this.#devices].map(([id, marks]) => [id, marks.revokedAt, marks.resumeFrom]),
      spent: [...this.#spent],
    }
  }

  restore(snapshot: TicketMemorySnapshot): void {
    this.#lastStamp = Math.max(this.#lastStamp, snapshot.lastStamp)
    this.#cutoff = Math.max(this.#cutoff, snapshot.cutoff)
    for (const [id, revokedAt, resumeFrom] of snapshot.devices) this.#devices.set(id, { revokedAt, resumeFrom })
    for (const [nonce, expiresAt] of snapshot.spent) this.#spent.set(nonce, expiresAt)
  }

  #sweepSpent(nowMs: number): void {
    if (nowMs === this.#sweptAt) return
    this.#sweptAt = nowMs
    for (const [nonce, expiresAt] of this.#spent) if (expiresAt <= nowMs) this.#spent.delete(nonce)
  }

  #forgetDevices(): void {
    // Older than the longest life of a ticket: nothing is left that the mark could stop.
    const oldest = this.#lastStamp - this.#bounds.resumeLifeMs
    for (const [id, marks] of this.#devices) {
      const last = Math.max(marks.revokedAt, marks.resumeFrom)
      const tooMany = this.#devices.size > this.#bounds.maxRememberedDevices
      if (last >= oldest && !tooMany) return
      this.#devices.delete(id)
      // Forgotten too early it must not come back to life; a device that loses its resume ticket by this asks for a new one.
      if (last >= oldest) this.#cutoff = Math.max(this.#cutoff, last)
    }
  }
}
