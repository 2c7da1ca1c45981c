import type { RelayParts } from '../relay-parts.js'
import type { RelayAllocation } from '../relay-types.js'
import type { HandedState } from './handed-state.js'
import type { TakenSockets } from './taken-sockets.js'

/** Has the parts claim every socket, within the call, and go on with the flows. Resolves with the data port when all have come. */
export async function rebuild(
  parts: RelayParts,
  state: HandedState,
  allocations: readonly RelayAllocation[],
  sockets: TakenSockets,
): Promise<number> {
  const { data, datagrams, table, flows } = parts
  const [forData, forDatagrams] = [sockets.tcp('data'), sockets.udp('datagrams')]
  if (forData === undefined || forDatagrams === undefined) throw new Error('the data port is not among the sockets')
  const built = Promise.all([
    data.listen(0, forData),
    new Promise<void>((resolve, reject) => {
      forDatagrams((socket) => {
        datagrams.adopt(socket)
        resolve()
      }, reject)
    }),
    table.reconcile(allocations),
  ])
  // Not before: what is put in force shuts out who has no link with its grant, and nobody is linked yet.
  const deviceOf = new Map(allocations.map(({ id, deviceId }) => [id, deviceId]))
  const slots = state.flows.map(({ id, message }) => ({ id, deviceId: deviceOf.get(message.allocationId) ?? '' }))
  flows.restore(state.tables, slots)
  for (const flow of state.flows) table.get(flow.message.allocationId)?.heir?.takeFlow(flow)
  const [port] = await built
  return port
}
