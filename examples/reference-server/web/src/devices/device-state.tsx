import type { Device } from '@sallyport/relay/client'
import { Badge } from '../ui/badge.js'

/** Whether a device is there, in a word; of one that waits, its code. */
export function DeviceState({ device }: { device: Device }) {
  if (!device.approved) {
    return (
      <span class="pair">
        <Badge variant="warning">Waits for approval</Badge> <code>{device.userCode}</code>
      </span>
    )
  }
  return device.online ? <Badge variant="success">Online</Badge> : <Badge>Offline</Badge>
}
