/** What tickets of each device must carry (`RelayAllocation.grant`), from the allocations in force. */
export class DeviceGrants {
  /** How many allocations name each grant. */
  readonly #counts: Map<string, Map<string, number>> = new Map()

  add(deviceId: string, grant: string | undefined): void {
    if (grant === undefined) return
    const counts = this.#counts.get(deviceId) ?? new Map<string, number>()
    this.#counts.set(deviceId, counts)
    counts.set(grant, (counts.get(grant) ?? 0) + 1)
  }

  remove(deviceId: string, grant: string | undefined): void {
    const counts = this.#counts.get(deviceId)
    if (grant === undefined || counts === undefined) return
    const left = (counts.get(grant) ?? 0) - 1
    if (left > 0) counts.set(grant, left)
    else counts.delete(grant)
    if (counts.size === 0) this.#counts.delete(deviceId)
  }

  /**
   * True for a device without any. While its allocations name different ones, which a whole state never does, none is: refusing is what
   * can be put right.
   */
  accepts(deviceId: string, grant: string | undefined): boolean {
    const counts = this.#counts.get(deviceId)
    if (counts === undefined) return true
    return grant !== undefined && counts.size === 1 && counts.has(grant)
  }

  /** Differs when what is accepted differs; empty when there is nothing to accept by. */
  fingerprint(deviceId: string): string {
    return JSON.stringify([...(this.#counts.get(deviceId)?.keys() ?? [])].sort()).slice(1, -1)
  }
}
