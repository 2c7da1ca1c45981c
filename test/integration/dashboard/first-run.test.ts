import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { skipWithout } from '@sallyport/core/testing'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { boxText, endGroup, machine } from '../../support/dashboard/shell.js'
import { shows } from '../../support/dashboard/shows.js'
import { root } from '../../support/program.js'
import { newAllocation, newDevice } from '../../support/tunnel/devices.js'
import { echoService, join as joinGame } from '../../support/tunnel/players.js'

const options = { skip: skipWithout('Chromium', missingChromium()) }
const enrolBox = 'Command for the machine at home'

t.test('from an empty panel to the first player, with what the page says pasted into a shell', options, async (t) => {
  const dashboard = await startDashboard(t, { RELAY_EMBEDDED: 'true' })
  await looksWell(t, dashboard, { as: dashboard.admin }, ({ page }) => boxText(page, enrolBox))
  const { page } = await dashboard.open({ as: dashboard.admin })
  const step = (name: string) => page.getByRole('listitem').filter({ has: page.getByRole('heading', { name }) })
  const stateOf = (name: string) => step(name).getAttribute('data-state')
  const home = await machine(t)

  // 1. The command; the other system's has the same parts.
  const command = await boxText(page, enrolBox)
  const { url } = dashboard
  t.equal(command, `curl -fsSLO ${url}/sallyport.mjs && node sallyport.mjs enroll --panel ${url}`)
  await page.getByLabel('Windows (PowerShell)').check()
  await shows(
    t,
    () => boxText(page, enrolBox),
    `curl.exe -fsSLO ${url}/sallyport.mjs; if ($?) { node sallyport.mjs enroll --panel ${url} }`,
  )
  await page.getByLabel('Linux or macOS').check()
  await page.getByText('What it needs: Node.js').click()
  await page.getByText('node --version').waitFor()
  t.equal(await stateOf('Approve the device'), 'later')
  const enrolling = home.paste(command)
  const [userCode] = await enrolling.line(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/)

  // 2. It appears by itself, with the code that the machine shows.
  await page.getByText('Is this the code that your machine shows?').waitFor()
  t.equal(await stateOf('Fetch the agent'), 'done')
  await page.getByText(userCode, { exact: true }).waitFor()
  t.strictSame(await violations(page), [])
  await page.getByRole('button', { name: /^Yes, approve / }).click()
  t.equal((await enrolling.exited).code, 0, enrolling.stderr)

  // 3. The agent.
  const run = await boxText(page, 'Command that starts the agent')
  t.equal(run, 'node sallyport.mjs run')
  t.match(await step('Start the agent').innerText(), /Waiting for .+ to come online/)
  t.strictSame(await violations(page), [])
  const agent = home.paste(run)

  // 4. The tunnel.
  const form = page.getByRole('form', { name: 'New tunnel' })
  await form.waitFor()
  t.strictSame(await violations(page), [])
  t.equal(await stateOf('Start the agent'), 'done')
  const areSuggested = async () => (await form.getByLabel('Game').locator('option').count()) > 5
  await shows(t, areSuggested, true, 'well-known games are suggested')
  await form.getByLabel('Port', { exact: true }).fill(String(await echoService(t)))
  await form.getByRole('button', { name: 'Create tunnel' }).click()

  // 5. The address, and the first player.
  const address = await boxText(page, 'Public address')
  t.match(address, /^localhost:\d+$/)
  await page.getByText('Waiting for the first player').waitFor()
  await page.getByText('RELAY_PUBLIC_HOST').waitFor()
  const player = await joinGame(t, Number(address.split(':')[1]))
  await player.echo('hello')
  await page.getByText('A player is here.').waitFor()
  t.equal(await stateOf('Give the address'), 'done')
  t.strictSame(await violations(page), [])
  player.socket.destroy()
  await page.getByText('A player was here.').waitFor()

  await t.test('what it leaves behind is the overview', async (t) => {
    await page.getByRole('button', { name: 'Go to the overview' }).click()
    await page.getByText('Nothing at the moment').waitFor()
    await shows(t, () => page.getByRole('definition').count(), 5)
    await page.getByRole('table', { name: 'Busiest tunnels' }).getByText(address).waitFor()
    await endGroup(agent)
    const attention = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Needs attention' }) })
    await attention.getByText('Device offline').waitFor()
    await attention.getByText('1 tunnel leads to it').waitFor()
    await dashboard.ok('POST', '/api/tunnel/device/start', { body: { name: 'laptop' } })
    await attention.getByRole('link', { name: 'Approve or deny laptop' }).waitFor()
    await looksWell(t, dashboard, { as: dashboard.admin }, (visit) =>
      visit.page.getByRole('link', { name: 'Approve or deny laptop' }).waitFor(),
    )
    await attention.getByRole('link', { name: 'Approve or deny laptop' }).click()
    await page.getByRole('heading', { level: 1, name: 'Approve a device' }).waitFor()
  })
})

t.test('whoever may not approve is told whom to ask, and the page goes on by itself', options, async (t) => {
  const dashboard = await startDashboard(t)
  const person = await dashboard.newPerson()
  const { page } = await dashboard.open({ as: person })
  await page.getByText(/Send the link to an administrator/).waitFor()
  await page.getByText(person.email, { exact: true }).last().waitFor()
  await shows(t, () => page.getByRole('button', { name: /approve/ }).count(), 0)
  t.strictSame(await violations(page), [])
  // Somebody else's machine is not theirs to see.
  await dashboard.ok('POST', '/api/tunnel/device/start', { body: { name: 'a stranger' } })
  await newDevice(dashboard, { ownerId: person.id })
  await page.getByText('Waiting for thing to come online').waitFor()
  await shows(t, () => page.getByText('a stranger').count(), 0)
  t.strictSame(await violations(page), [])
})

t.test('a device that is denied goes away; one by one, with a word where there are many', options, async (t) => {
  const dashboard = await startDashboard(t)
  const started: string[] = []
  for (const name of ['one', 'two', 'three', 'four', 'five']) {
    const { body } = await dashboard.ok('POST', '/api/tunnel/device/start', { body: { name } })
    started.push(body.deviceCode)
  }
  const { page } = await dashboard.open({ as: dashboard.admin })
  await page.getByText('2 other devices wait').waitFor()
  await page.getByRole('button', { name: 'No, deny five' }).click()
  await page.getByText('five is denied').waitFor()
  await page.getByText('1 other device waits').waitFor()
  const { status } = await dashboard.send('GET', `/api/tunnel/device/poll?deviceCode=${started[4]}`)
  t.equal(status, 410)
  // Meanwhile somebody else has decided, and this page has not heard of it.
  await page.route('**/api/tunnel/device/approve', (route) =>
    route.fulfill({
      status: 409,
      contentType: 'application/problem+json',
      body: JSON.stringify({ title: 'x', status: 409, detail: 'x', error: 'already_approved' }),
    }),
  )
  await page.getByRole('button', { name: 'Yes, approve four' }).click()
  await page.getByText('This code has been used').waitFor()
  await page.unroute('**/api/tunnel/device/approve')
  await page.context().setOffline(true)
  await page.getByRole('button', { name: 'Yes, approve three' }).click()
  await page.getByText(/cannot be reached/).waitFor()
  await page.context().setOffline(false)
})

t.test('while tunnels are switched off it says so, and who can change it', options, async (t) => {
  const dashboard = await startDashboard(t)
  await dashboard.ok('PATCH', '/api/settings', {
    bearer: dashboard.admin.token,
    body: { features: { tunnels: false } },
  })
  await looksWell(t, dashboard, { as: dashboard.admin }, ({ page }) =>
    page.getByText('Tunnels are switched off').waitFor(),
  )
  const { page } = await dashboard.open({ as: dashboard.admin })
  await shows(t, () => page.getByRole('link', { name: 'Open the settings' }).getAttribute('href'), '/settings')
  const { page: other } = await dashboard.open({ as: await dashboard.newPerson() })
  await other.getByText('An administrator of this panel can switch them on').waitFor()
})

t.test('a browser without a clipboard, and one that copies nothing', options, async (t) => {
  const dashboard = await startDashboard(t)
  const { page } = await dashboard.open({ as: dashboard.admin })
  const button = page.getByRole('button', { name: `Copy: ${enrolBox}` })
  await page.addInitScript('Object.defineProperty(navigator, "clipboard", { value: undefined })')
  await page.reload()
  await button.click()
  await page.getByRole('status').filter({ hasText: 'Copied' }).first().waitFor({ state: 'attached' })
  await page.addInitScript('document.execCommand = () => false')
  await page.reload()
  await button.click()
  await page.getByRole('button', { name: 'Press Ctrl+C' }).waitFor()
  await shows(
    t,
    () => page.evaluate<string>('getSelection().toString()'),
    await boxText(page, enrolBox),
    'it is selected',
  )
})

t.test('the agent is served as the file that was built', options, async (t) => {
  const dashboard = await startDashboard(t)
  const built = await readFile(join(root, 'packages/relay/dist/sallyport.mjs'), 'utf8')
  const answer = await fetch(`${dashboard.url}/sallyport.mjs`)
  t.equal(await answer.text(), built)
  t.equal(answer.headers.get('content-type'), 'text/javascript; charset=utf-8')
  const etag = answer.headers.get('etag') ?? ''
  const again = await fetch(`${dashboard.url}/sallyport.mjs`, { headers: { 'if-none-match': etag } })
  t.equal(again.status, 304)
  const plain = await dashboard.send('GET', '/sallyport.mjs')
  t.equal(plain.headers['content-encoding'], undefined)
  t.equal(plain.text, built)
  t.equal((await dashboard.send('POST', '/sallyport.mjs', { body: {} })).status >= 404, true)

  await t.test('where it was not built, the page says so before the command fails', async (t) => {
    const { page } = await dashboard.open()
    await page.route('**/sallyport.mjs', (route) => route.fulfill({ status: 404 }))
    await page.getByLabel('E-mail').fill(dashboard.admin.email)
    await page.getByLabel('Password', { exact: true }).fill(dashboard.admin.password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('alert').filter({ hasText: 'copy of the agent is not built' }).waitFor()
    t.strictSame(await violations(page), [])
  })
})

t.test('tunnels of others do not hide the first steps, and a lost stream says so', options, async (t) => {
  const dashboard = await startDashboard(t, { RELAY_EMBEDDED: 'true' })
  await newAllocation(dashboard, await newDevice(dashboard))
  const { page } = await dashboard.open({ as: await dashboard.newPerson() })
  await boxText(page, enrolBox)
  const { page: lost } = await dashboard.open({ as: dashboard.admin, path: '/account' })
  await lost.route('**/api/tunnel/events', (route) => route.abort())
  await lost.goto(dashboard.url)
  await lost.getByRole('alert').filter({ hasText: 'cannot be followed' }).waitFor()
  await lost.unroute('**/api/tunnel/events')
  await lost.getByRole('table', { name: 'Busiest tunnels' }).waitFor()
})
