/** What a contract suite needs of a test runner: tap's `test`, node:test's and vitest's all fit. */
export interface Runner {
  test(name: string, body: () => Promise<void>): unknown
}
