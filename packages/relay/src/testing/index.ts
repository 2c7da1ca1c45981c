export { type ContractFaults, type ContractRunner, relayStorageContract } from './storage-contract.js'
