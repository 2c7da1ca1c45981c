/** What there is for each source of datagrams. No key is put together for a look-up. */
export class UdpSources<F> {
  readonly #byAddress: Map<string, Map<number, F>> = new Map()
  size = 0

  get(address: string, port: number): F | undefined {
    return this.#byAddress.get(address)?.get(port)
  }

  /** For a source that has nothing yet. */
  add(address: string, port: number, value: F): void {
    const ports = this.#byAddress.get(address)
    if (ports === undefined) this.#byAddress.set(address, new Map([[port, value]]))
    else ports.set(port, value)
    this.size += 1
  }

  delete(address: string, port: number): void {
    const ports = this.#byAddress.get(address)
    if (ports?.delete(port) !== true) return
    this.size -= 1
    if (ports.size === 0) this.#byAddress.delete(address)
  }

  *values(): Generator<F> {
    for (const ports of this.#byAddress.values()) yield* ports.values()
  }
}
