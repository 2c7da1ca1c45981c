import { useLive, useTrafficOf } from '../live.js'
import { plural } from '../ui/format.js'

/** What is lost and what stays. */
export function SwitchOffTunnels() {
  const { devices = [], allocations = [] } = useLive()
  const { open } = useTrafficOf(allocations)
  const online = devices.filter((device) => device.online).length
  return (
    <>
      <p>For everyone on this panel, at once:</p>
      <ul>
        <li>players are cut off, and nobody can join,</li>
        <li>devices and relays are disconnected,</li>
        <li>no device or tunnel can be added, changed or seen.</li>
      </ul>
      {devices.length > 0 && (
        <p>
          <strong>
            Now: {plural(online, 'device')} online, {plural(allocations.length, 'tunnel')}, {plural(open, 'player')}.
          </strong>
        </p>
      )}
      <p>Nothing is deleted. When you switch tunnels on again, devices come back by themselves within a few minutes.</p>
    </>
  )
}
