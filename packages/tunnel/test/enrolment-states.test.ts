import { createSql, Database } from '@sallyport/core'
import fc from 'fast-check'
import t from 'tap'
import { admin, startPanel } from './support/panel.js'

/** What may happen to one enrolment, in any order and again. */
const acts = ['poll', 'approve', 'deny', 'expire', 'use', 'regenerate', 'remove'] as const
const panel = await startPanel({
  config: { relay: false, enrolment: { intervalSeconds: 0.001, maxPendingPerCaller: 1_000, maxGuesses: 10_000 } },
})
t.teardown(() => panel.stop())
const sql = createSql(panel.kernel.get(Database))

t.test('a token is given for one approval only, and never after its use or the end', async () => {
  const sequence = fc.array(fc.constantFrom(...acts), { minLength: 1, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(sequence, async (steps) => {
      const { body } = await panel.call('POST', '/api/tunnel/device/start', { as: admin, json: { name: 'box' } })
      const { userCode, deviceCode } = body
      let [id, token] = ['', undefined as string | undefined]
      let state: 'pending' | 'approved' | 'over' = 'pending'
      let approvals = 0
      for (const step of steps) {
        if (step === 'poll') {
          const { status, body } = await panel.call('GET', `/api/tunnel/device/poll?deviceCode=${deviceCode}`)
          if (status === 429) continue
          if (status === 200 && body.approved !== (state === 'approved')) return false
          if (status === 200 && state === 'over') return false
          if (status !== 200 && state !== 'over') return false
          token ??= body.token
        } else if (step === 'approve' || step === 'deny') {
          const { status, body } = await panel.call('POST', `/api/tunnel/device/${step}`, {
            as: admin,
            json: { userCode },
          })
          if ((status === 200) !== (state === 'pending')) return false
          if (status !== 200) continue
          if (step === 'approve') approvals += 1
          id = body.device?.id ?? id
          state = step === 'approve' ? 'approved' : 'over'
        } else if (step === 'expire') {
          await sql('UPDATE tunnel_devices SET expires_at = now() WHERE user_code = $1', [userCode])
          state = 'over'
        } else if (step === 'use' && token !== undefined) {
          const { status } = await panel.call('GET', '/api/tunnel/allocations', { token })
          if (status === 200) state = 'over'
        } else if (step === 'regenerate' && id !== '') {
          const { status, body } = await panel.call('POST', `/api/tunnel/devices/${id}/regenerate-token`, { as: admin })
          if (status === 200) state = 'over'
          const old = token
          if (status === 200 && old !== undefined) {
            if ((await panel.call('GET', '/api/tunnel/allocations', { token: old })).status !== 401) return false
          }
          token = body.token
        } else if (step === 'remove' && id !== '') {
          await panel.call('DELETE', `/api/tunnel/devices/${id}`, { as: admin })
          state = 'over'
        }
      }
      return approvals <= 1
    }),
    { numRuns: 60 },
  )
})
