import { median } from '../median.mjs'
import { message } from './children.mjs'

const concurrency = 3
const accounts = 20
const warmUpTries = 60

/** How well the time of a refusal tells an account that exists from one that does not. */
export async function timing({ panel, process, load, tries }) {
  const named = (prefix) =>
    Array.from({ length: accounts }, (_, n) => `${prefix}${String(n).padStart(3, '0')}@example.org`)
  const [known, unknown] = [named('someone'), named('no-body')]
  await message(process, 'usersMade', { users: known.map((email) => ({ email, password: 'a password of theirs' })) })
  const task = { port: panel.port, known, unknown, concurrency }
  await message(load, 'measured', { ...task, tries: warmUpTries })
  const { measured } = await message(load, 'measured', { ...task, tries })
  return {
    unit: 'AUC',
    tries,
    knownMs: median(measured.known),
    unknownMs: median(measured.unknown),
    auc: distinguishability(measured.known, measured.unknown),
    /** Of an AUC between two samples of this size that nothing tells apart. */
    standardError: Math.sqrt((2 * tries + 1) / (12 * tries * tries)),
  }
}

/**
 * Area under the ROC curve of the best threshold classifier on one number, 0.5 to 1: the chance that a value of one
 * sample is above one of the other, or below, whichever is more (Mann-Whitney U, ties by half).
 */
export function distinguishability(a, b) {
  const all = [...a.map((value) => ({ value, ofA: true })), ...b.map((value) => ({ value, ofA: false }))]
  all.sort((left, right) => left.value - right.value)
  let rankSum = 0
  for (let from = 0; from < all.length; ) {
    let to = from
    while (to < all.length && all[to].value === all[from].value) to++
    const rank = (from + to + 1) / 2
    for (let at = from; at < to; at++) if (all[at].ofA) rankSum += rank
    from = to
  }
  const auc = (rankSum - (a.length * (a.length + 1)) / 2) / (a.length * b.length)
  return Math.max(auc, 1 - auc)
}
