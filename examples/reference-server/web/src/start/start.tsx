import { useEffect, useState } from 'preact/hooks'
import type { LiveListsOf } from '../ui/live-lists.js'
import { LiveLists } from '../ui/live-lists.js'
import { Page } from '../ui/page.js'
import { FirstRun } from './first-run.js'
import { Overview } from './overview.js'

/** An empty panel leads to the first tunnel; another shows how it is. */
export function Start() {
  return (
    <Page title="Overview">
      <LiveLists lines={6}>{(lists) => <StartOf lists={lists} />}</LiveLists>
    </Page>
  )
}

function StartOf({ lists }: { lists: LiveListsOf }) {
  const { devices, allocations } = lists
  const isEmpty = allocations.length === 0
  // Whoever began the steps sees them to their end.
  const [isGuided, setGuided] = useState(isEmpty)
  useEffect(() => {
    if (isEmpty) setGuided(true)
  }, [isEmpty])
  if (isEmpty || isGuided) {
    return <FirstRun devices={devices} allocations={allocations} onLeave={() => setGuided(false)} />
  }
  return <Overview {...lists} />
}
