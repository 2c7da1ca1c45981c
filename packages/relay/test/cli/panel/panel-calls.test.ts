// What a request sends, and that one which the API does not have does not compile.
import t from 'tap'
import { readAllocations, readEnrolmentStart } from '../../../dist/cli/panel/panel-answers.js'
import { createPanelClient, type PanelClient } from '../../../dist/cli/panel/panel-client.js'
import { createFakePanel } from '../../fake-panel.js'

t.test('path, query and body are sent as the route wants them', async (t) => {
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  const said: string[] = []
  const client = createPanelClient({
    panel: new URL(`${panel.url}/below/`),
    debug: (message) => said.push(message),
  })
  const deviceCode = 'a&b=c d/é'
  await client.request('get', '/api/tunnel/device/poll', { params: { query: { deviceCode } } })
  const body = { localPort: 25_565 }
  await client.request('patch', '/api/tunnel/allocations/{id}', { params: { path: { id: '7/../8' } }, body })
  const [poll, change] = panel.requests
  t.match(poll, { method: 'GET', path: '/below/api/tunnel/device/poll' })
  t.same([...(poll?.query ?? [])], [['deviceCode', deviceCode]])
  t.match(change, { method: 'PATCH', path: '/below/api/tunnel/allocations/7%2F..%2F8', body })
  t.match(said, [/^GET \/api\/tunnel\/device\/poll: \d+$/, /^PATCH \/api\/tunnel\/allocations\//])
  t.notMatch(said.join('\n'), /a&b|a%26b/, 'a code is not said')
})

t.test('what the API does not have does not compile', async (t) => {
  t.type(wrongCalls, 'function')
})

async function wrongCalls(client: PanelClient): Promise<void> {
  // @ts-expect-error no such route
  await client.request('get', '/api/tunnel/nonsense')
  // @ts-expect-error no such method there
  await client.request('delete', '/api/tunnel/allocations')
  // @ts-expect-error a body is needed
  await client.request('post', '/api/tunnel/device/start')
  // @ts-expect-error the query is needed
  await client.request('get', '/api/tunnel/device/poll')
  // @ts-expect-error not of this type
  await client.request('post', '/api/tunnel/device/start', { body: { name: 1 } })
  // @ts-expect-error no such field
  await client.request('post', '/api/tunnel/device/start', { body: { name: 'x', nick: 'y' } })
  const listed = await client.request('get', '/api/tunnel/allocations')
  if (!listed.ok) return
  readAllocations(listed.body)
  // @ts-expect-error another route's answer
  readEnrolmentStart(listed.body)
}
