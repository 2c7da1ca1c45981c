import { isSallyportError, type SallyportError } from '../../dist/index.js'

/** Gives the catalogued error that `work` rejects with; throws when it does anything else. */
export async function rejection(work: Promise<unknown>): Promise<SallyportError> {
  try {
    await work
  } catch (error) {
    if (isSallyportError(error)) return error
    throw new Error('it rejects with something that is in no catalogue', { cause: error })
  }
  throw new Error('it does not reject')
}
