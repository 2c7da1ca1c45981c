import { useTrafficOf } from '../live.js'
import { rate } from '../ui/format.js'
import type { Tunnel } from './pairs.js'

/** Each is a component of its own: it is drawn every second, what is around it is not. */
interface Props {
  readonly tunnel: Tunnel
}

export function Players({ tunnel }: Props) {
  const { open } = useTrafficOf(tunnel.halves)
  return <>{open.toLocaleString('en')}</>
}

export function RateIn({ tunnel }: Props) {
  const { bytesInPerSecond } = useTrafficOf(tunnel.halves)
  return <>{rate(bytesInPerSecond)}</>
}

export function RateOut({ tunnel }: Props) {
  const { bytesOutPerSecond } = useTrafficOf(tunnel.halves)
  return <>{rate(bytesOutPerSecond)}</>
}
