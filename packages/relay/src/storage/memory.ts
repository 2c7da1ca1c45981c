import type { RelayStorage } from './storage.js'

/** Keeps the snapshot in this process; it is gone with it. */
export function memoryStorage(): RelayStorage {
  // As text, so that a snapshot neither changes under the storage nor holds what JSON cannot.
  let text: string | undefined
  return {
    load: async () => (text === undefined ? undefined : JSON.parse(text)),
    save: async (snapshot) => {
      text = JSON.stringify(snapshot)
    },
  }
}
