export {
  type AuthenticationStrategyFixture,
  authenticationStrategyContract,
  type CredentialCarrier,
} from './authentication-strategy-contract.js'
export { startPostgres, type TestPostgres } from './postgres.js'
export { missingPostgres } from './postgres-binaries.js'
export { skipWithout } from './real-server.js'
export { missingRedis, startRedis, type TestRedis } from './redis.js'
export type { Runner } from './runner.js'
export { createTestKernel, type TestKernel, type TestKernelOptions, type TestRequest } from './test-kernel.js'
export { createTestLogger, type LogLine, type TestLogger } from './test-logger.js'
export { type UserDirectoryFixture, userDirectoryContract } from './user-directory-contract.js'
