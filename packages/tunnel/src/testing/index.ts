export { type TunnelHooksFixture, tunnelHooksContract } from './hooks-contract.js'
export { relayPolicyContract } from './relay-policy-contract.js'
