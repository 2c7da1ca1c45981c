import t, { type Test } from 'tap'
import { createPanelClient, type PanelAnswer } from '../../../dist/cli/panel/panel-client.js'
import { panelError } from '../../../dist/cli/panel/panel-error.js'
import { createFakePanel, type FakeAnswer, html, problem } from '../../fake-panel.js'

const PATH = '/api/tunnel/allocations'

async function ask(t: Test, answer: FakeAnswer, id?: string): Promise<{ answer: PanelAnswer; said: string[] }> {
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  panel.routes.set(id === undefined ? `GET ${PATH}` : `DELETE ${PATH}/${id}`, () => answer)
  const said: string[] = []
  const client = createPanelClient({ panel: new URL(panel.url), debug: (message) => said.push(message) })
  const sent =
    id === undefined
      ? client.request('get', PATH)
      : client.request('delete', `${PATH}/{id}`, { params: { path: { id } } })
  return { answer: await sent, said }
}

const cases: [string, FakeAnswer, { kind: string; error: string; exitCode: number; words: RegExp }][] = [
  [
    'a page that wants a password is no refusal of the token',
    html(401),
    { kind: 'not_a_panel', error: 'not_a_panel', exitCode: 1, words: /HTTP 401, text\/html.*check the URL/ },
  ],
  [
    'a sign-in page',
    html(511),
    { kind: 'out_of_reach', error: 'sign_in_required', exitCode: 69, words: /sign-in first/ },
  ],
  [
    'a redirect',
    { status: 302, headers: { location: 'http://login.hotel.example/' } },
    { kind: 'not_a_panel', error: 'redirected', exitCode: 1, words: /redirects to login\.hotel\.example/ },
  ],
  [
    'a panel that is down behind its proxy',
    html(502),
    { kind: 'out_of_reach', error: 'unavailable', exitCode: 69, words: /out of order \(HTTP 502\)/ },
  ],
  [
    'an error of another server',
    html(500),
    { kind: 'out_of_reach', error: 'unavailable', exitCode: 69, words: /out of order \(HTTP 500\)/ },
  ],
  [
    'a panel without the route',
    problem(404, 'not_found', 'There is nothing here'),
    { kind: 'not_a_panel', error: 'panel_too_old', exitCode: 1, words: /too old.*update the panel/ },
  ],
  [
    'a token that is refused',
    problem(401, 'unauthorized'),
    { kind: 'unauthorized', error: 'unauthorized', exitCode: 3, words: /enrol again/ },
  ],
  [
    'a quota that is used up',
    problem(403, 'quota_exceeded', '10 of 10'),
    { kind: 'problem', error: 'quota_exceeded', exitCode: 1, words: /quota.*10 of 10.*remove one/ },
  ],
  [
    'no free port',
    problem(503, 'no_ports_available', 'No public port is free'),
    { kind: 'problem', error: 'no_ports_available', exitCode: 1, words: /No public port is free: remove a tunnel/ },
  ],
  [
    'a port that is taken',
    problem(409, 'port_taken', 'The port 25565 is taken'),
    { kind: 'problem', error: 'port_taken', exitCode: 1, words: /25565 is taken: choose another/ },
  ],
  [
    'a relay’s token',
    problem(409, 'wrong_kind', 'A device of kind server is a relay'),
    { kind: 'problem', error: 'wrong_kind', exitCode: 3, words: /is a relay: .*enrolments of their own/ },
  ],
  [
    'tunnels switched off',
    problem(403, 'feature_disabled'),
    { kind: 'feature_disabled', error: 'feature_disabled', exitCode: 1, words: /switched off.*ask an administrator/ },
  ],
  [
    'too many requests',
    problem(429, 'slow_down', '', { 'retry-after': '9' }),
    { kind: 'problem', error: 'slow_down', exitCode: 1, words: /patience.*9 s/ },
  ],
  [
    'a code of no meaning here',
    problem(418, 'constructor', 'I am a teapot'),
    { kind: 'problem', error: 'constructor', exitCode: 1, words: /^I am a teapot$/ },
  ],
]
for (const [name, given, { kind, error, exitCode, words }] of cases) {
  t.test(name, async (t) => {
    const { answer } = await ask(t, given)
    if (answer.ok) throw new Error('taken for an answer of the panel')
    t.match(answer, { kind, error })
    const shown = panelError(answer, 'token')
    t.match(shown.message, words)
    t.equal(shown.exitCode, exitCode)
  })
}

t.test('what is not known by its id is not taken for a missing route', async (t) => {
  const { answer } = await ask(t, problem(404, 'not_found', 'There is no such allocation'), '7')
  t.match(answer, { kind: 'problem', error: 'not_found', detail: 'There is no such allocation' })
})

t.test('the panel’s clock is told, and that ours is another', async (t) => {
  const date = new Date(Date.now() - 86_400_000)
  const headers = { date: date.toUTCString() }
  const { answer, said } = await ask(t, { body: { allocations: [] }, headers })
  t.match(answer, { ok: true, panelTime: Math.floor(date.getTime() / 1_000) * 1_000 })
  t.match(said.join('\n'), /clock is 1440 min ahead of the panel's/)
  const later = new Date(date.getTime() + 7_000).toUTCString()
  const busy = await ask(t, problem(503, 'busy', '', { ...headers, 'retry-after': later }))
  t.match(busy.answer, { ok: false, retryAfterMs: 7_000 }, 'a time to come back is by that clock')
})
