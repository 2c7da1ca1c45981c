/** Everything that webhooks can tell. */
export type WebhookEvent =
  | 'device.enrolment_started'
  | 'device.approved'
  | 'device.denied'
  | 'device.renamed'
  | 'device.deleted'
  | 'device.token_regenerated'
  | 'device.revoked'
  | 'device.online'
  | 'device.offline'
  | 'allocation.created'
  | 'allocation.changed'
  | 'allocation.opened'
  | 'allocation.closed'
  | 'allocation.deleted'
  | 'allocation.moved'
  | 'relay.online'
  | 'relay.offline'
  | 'connection.ended'

const known: Readonly<Record<WebhookEvent, true>> = {
  'device.enrolment_started': true,
  'device.approved': true,
  'device.denied': true,
  'device.renamed': true,
  'device.deleted': true,
  'device.token_regenerated': true,
  'device.revoked': true,
  'device.online': true,
  'device.offline': true,
  'allocation.created': true,
  'allocation.changed': true,
  'allocation.opened': true,
  'allocation.closed': true,
  'allocation.deleted': true,
  'allocation.moved': true,
  'relay.online': true,
  'relay.offline': true,
  'connection.ended': true,
}

/** Names of all events. */
export const webhookEvents: readonly WebhookEvent[] = Object.freeze(Object.keys(known) as WebhookEvent[])

export function isWebhookEvent(name: string): name is WebhookEvent {
  return Object.hasOwn(known, name)
}

/**
 * Whether an endpoint wants an event.
 * @param wanted names, or all of a kind such as `device.*`; undefined: all but `connection.*`
 */
export function wants(wanted: readonly string[] | undefined, event: WebhookEvent): boolean {
  if (!wanted) return !event.startsWith('connection.')
  return wanted.some((name) => name === event || (name.endsWith('.*') && event.startsWith(name.slice(0, -1))))
}
