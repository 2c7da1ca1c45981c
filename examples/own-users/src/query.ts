/** Runs a statement on the host's database and gives its rows; values go in as `$1`, `$2`, …. */
export type Query = <Row extends object>(statement: string, values: readonly unknown[]) => Promise<Row[]>

export interface HostOptions {
  /** Whether argon2id may take the place of an old hash. */
  readonly upgrade: boolean
}
