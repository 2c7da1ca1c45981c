export { type ContractRunner, relayStorageContract } from './storage-contract.js'
