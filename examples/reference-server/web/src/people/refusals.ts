import { reworded } from '../ui/problem.js'

/** Waits for a request, and says a refusal in the words for its code, where there are any. */
export async function inWords<T>(request: Promise<T>, words: Readonly<Record<string, string>>): Promise<T> {
  try {
    return await request
  } catch (error) {
    throw reworded(error, words)
  }
}
