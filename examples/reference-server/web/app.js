// The reference server's page, over the public API alone.
import { api } from './api.js'
import { prepareSignIn } from './sign-in.js'
import { address, bytes, fill } from './table.js'

const refreshEveryMs = 5_000
const byId = (id) => document.getElementById(id)
let refreshTimer
let isBusy = false
/** Whether the last refresh failed: the next one that works takes its message away. */
let isStale = false

function say(text, isError = false) {
  isStale = false
  byId('message').textContent = text
  byId('message').classList.toggle('error', isError)
}

/** Runs what a person asked for, one thing at a time (a double click asks once), and says what came of it. */
async function attempt(action, done) {
  if (isBusy) return
  isBusy = true
  try {
    await action()
    say(done ?? '')
  } catch (error) {
    say(error.message, true)
    if (error.status === 401) show(undefined)
  } finally {
    isBusy = false
  }
  await refresh()
}

function show(user) {
  clearTimeout(refreshTimer)
  byId('signed-in').hidden = !user
  byId('signed-out').hidden = Boolean(user)
  byId('who').hidden = !user
  byId('who-name').textContent = user?.email ?? ''
}

/** Shows how things stand, and does so again for as long as somebody is signed in, whatever the panel answers. */
async function refresh() {
  clearTimeout(refreshTimer)
  if (byId('signed-in').hidden) return
  try {
    await draw()
    if (isStale) say('')
  } catch (error) {
    if (error.status === 401) show(undefined)
    say(error.status === 401 ? 'Your session has ended. Sign in again.' : error.message, true)
    isStale = true
  }
  clearTimeout(refreshTimer)
  if (!byId('signed-in').hidden) refreshTimer = setTimeout(refresh, refreshEveryMs)
}

async function draw() {
  const [{ devices }, { allocations }] = await Promise.all([
    api('GET', '/api/tunnel/devices'),
    api('GET', '/api/tunnel/allocations'),
  ])
  fill(
    byId('devices'),
    devices.map(deviceRow),
    'No device yet. Run the command above on the machine that your server runs on.',
  )
  fill(byId('tunnels'), allocations.map(tunnelRow), 'No tunnel yet.')
  offer(devices.filter((device) => device.approved && device.kind === 'client'))
}

function offer(devices) {
  const select = byId('open').elements.deviceId
  const offered = JSON.stringify(devices.map(({ id, name }) => [id, name]))
  if (select.dataset.offered === offered) return
  select.dataset.offered = offered
  const chosen = select.value
  select.replaceChildren(...devices.map((device) => new Option(device.name, device.id)))
  if (devices.some((device) => device.id === chosen)) select.value = chosen
}

function button(label, object, action, question) {
  const element = document.createElement('button')
  element.type = 'button'
  element.textContent = label
  element.ariaLabel = `${label} ${object}`
  element.addEventListener('click', () => {
    if (!question || confirm(question)) attempt(action)
  })
  return element
}

function deviceRow({ id, name, approved, online, userCode, version }) {
  const state = approved ? (online ? 'online' : 'offline') : `waits for approval (${userCode})`
  const remove = () => api('DELETE', `/api/tunnel/devices/${id}`)
  const question = `Delete ${name}? Its tunnels close and its players are cut off.`
  return {
    data: [id, name, state, version],
    cells: () => [name, state, version ?? '', [button('Delete', name, remove, question)]],
  }
}

function tunnelRow({ id, host, port, protocol, localHost, localPort, status, traffic }) {
  const path = `/api/tunnel/allocations/${id}`
  const isClosed = status === 'closed'
  const object = `${protocol} ${port}`
  const texts = [
    address(host, port),
    protocol,
    address(localHost, localPort),
    status,
    String(traffic.open),
    `${bytes(traffic.bytesIn)}, ${bytes(traffic.bytesOut)}`,
  ]
  const toggle = () => api('POST', `${path}/${isClosed ? 'open' : 'close'}`)
  const remove = () => api('DELETE', path)
  const question = `Delete the ${protocol} tunnel at port ${port}?`
  return {
    data: [id, ...texts],
    cells: () => [
      ...texts,
      [button(isClosed ? 'Resume' : 'Pause', object, toggle), button('Delete', object, remove, question)],
    ],
  }
}

function fields(form) {
  return Object.fromEntries(new FormData(form))
}

const isResetting = prepareSignIn({ attempt, say, onSignedIn: show })
byId('sign-out').addEventListener('click', () => {
  attempt(async () => {
    await api('POST', '/api/auth/logout')
    show(undefined)
  }, 'Signed out.')
})
byId('approve').addEventListener('submit', (event) => {
  event.preventDefault()
  attempt(async () => {
    await api('POST', '/api/tunnel/device/approve', fields(event.target))
    event.target.reset()
  }, 'Approved.')
})
byId('deny').addEventListener('click', () => {
  const form = byId('approve')
  if (!form.reportValidity()) return
  attempt(async () => {
    await api('POST', '/api/tunnel/device/deny', fields(form))
    form.reset()
  }, 'Denied.')
})
byId('open').addEventListener('submit', (event) => {
  event.preventDefault()
  const { deviceId, localPort, protocol } = fields(event.target)
  attempt(
    () => api('POST', '/api/tunnel/allocations', { deviceId, localPort: Number(localPort), protocol }),
    'The tunnel is open.',
  )
})

byId('enroll-command').textContent =
  `npx sallyport enroll --panel ${location.origin}\nnpx sallyport run --local-port 25565`
byId('approve').elements.userCode.value = new URLSearchParams(location.search).get('user_code') ?? ''
api('GET', '/api/auth/session').then(
  async ({ user }) => {
    show(isResetting ? undefined : user)
    await refresh()
  },
  (error) => {
    show(undefined)
    if (error.status !== 401) say(error.message, true)
  },
)
