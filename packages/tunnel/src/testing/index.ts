export { type TunnelHooksFixture, tunnelHooksContract } from './hooks-contract.js'
