import type { Test } from 'tap'
import { createFakePanel, type FakeAnswer, type FakePanel, problem } from '../../fake-panel.js'

export const DEVICE_CODE = 'device-code-very-secret-0123456789'
export const TOKEN = 'header.payload-very-secret.signature'
export const START = 'POST /api/tunnel/device/start'
export const POLL = 'GET /api/tunnel/device/poll'

/** A panel that answers polls one by one as given. */
export async function panelWith(t: Test, polls: FakeAnswer[], interval = 0.1): Promise<FakePanel> {
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  panel.routes.set(START, () => ({
    body: {
      deviceCode: DEVICE_CODE,
      userCode: 'ABCD-1234',
      verificationUri: `${panel.url}/device`,
      verificationUriComplete: `${panel.url}/device?user_code=ABCD-1234`,
      expiresAt: new Date(Date.now() + 600_000).toISOString(),
      interval,
    },
  }))
  panel.routes.set(POLL, () => polls.shift() ?? problem(500, 'internal', 'asked too often'))
  return panel
}

export const pending: FakeAnswer = { body: { approved: false, interval: 0.1 } }
export const approved: FakeAnswer = { body: { approved: true, token: TOKEN } }
