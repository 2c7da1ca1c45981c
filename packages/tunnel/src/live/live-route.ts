import { eventStream, type Http } from '@sallyport/core'
import type { LiveConfig } from '../config.js'
import { liveEventSchema } from './live-events.js'
import type { LiveRoom } from './live-room.js'

const description = `Server-sent events. The data of each is JSON; the schema shows them as \`{ event, data }\`.

- \`devices\`, \`allocations\`, \`relays\`: \`{ reset, items, removed }\`. The first of each has \`reset: true\` and everything that the caller may \
see, as the list's own route gives it. Later ones have what is new or different, and the ids of what is gone. Another with \`reset: true\` \
takes the place of everything before: the caller may see other things now. What changes all the time is no change: \`traffic\`, and \
\`lastSeenAt\` of what is online.
- \`traffic\`: \`{ items }\`, each second, of those allocations whose numbers are others than before.

The stream ends within seconds when the credentials do not hold any more or tunnels are switched off, and after an hour at the latest; a \
client comes back by itself, and begins anew. Who reads too slowly is told less often, and nothing twice; who takes nothing for a minute is \
cut. Too many streams of one caller are 429 \`too_many_streams\`.`

export function addLiveRoute(http: Http, room: LiveRoom, config: LiveConfig): void {
  const { heartbeatMs, checkMs, stalledMs, lifeMs } = config
  http.route({
    method: 'GET',
    url: '/api/tunnel/events',
    access: 'authenticated',
    summary: 'Devices, allocations, relays and traffic as they change',
    description,
    tag: 'tunnel events',
    produces: 'text/event-stream',
    response: { 200: liveEventSchema },
    handler: () => eventStream(room.open, { heartbeatMs, checkMs, stalledMs, lifeMs }),
  })
}
