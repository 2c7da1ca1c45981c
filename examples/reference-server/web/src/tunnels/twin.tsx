import type { Allocation } from '@sallyport/relay/client'
import type { Tunnel } from './pairs.js'

/** The other half of a pair. */
export function twinOf({ halves }: Tunnel, { id }: Allocation): Allocation | undefined {
  return halves.find((half) => half.id !== id)
}

interface TwinChoiceProps {
  readonly twin: Allocation | undefined
  /** Whether it is the same there now. */
  readonly isSame: boolean
  readonly words: string
}

/** In a form of one half: whether it is meant for the other half, too. */
export function TwinChoice({ twin, isSame, words }: TwinChoiceProps) {
  if (!twin) return null
  return (
    <p>
      <label>
        <input type="checkbox" name="twin" defaultChecked={isSame} /> {words} {twin.protocol.toUpperCase()} on this port
        {isSame ? '' : ', where it is otherwise now'}
      </label>
    </p>
  )
}

/** The one that has been opened and, when that was asked for, its twin. UDP first: it takes less, so that what it refuses has changed nothing. */
export function meant(allocation: Allocation, twin: Allocation | undefined, isForBoth: boolean): Allocation[] {
  const all = twin && isForBoth ? [allocation, twin] : [allocation]
  return all.sort((a, b) => (a.protocol > b.protocol ? -1 : 1))
}
