// The reference server's page, over the public API alone.
const refreshEveryMs = 5_000
const byId = (id) => document.getElementById(id)
let refreshTimer

class ApiError extends Error {
  constructor(problem, status) {
    super(problem.detail ?? problem.title ?? `The panel answered ${status}`)
    this.status = status
  }
}

async function api(method, path, body) {
  const init = { method, headers: { accept: 'application/json' } }
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers['content-type'] = 'application/json'
  }
  const response = await fetch(path, init)
  const answer = await response.json().catch(() => ({}))
  if (!response.ok) throw new ApiError(answer, response.status)
  return answer
}

function say(text, isError = false) {
  byId('message').textContent = text
  byId('message').classList.toggle('error', isError)
}

/** Runs what a person asked for; says what came of it. */
async function attempt(action, done) {
  try {
    await action()
    say(done ?? '')
    await refresh()
  } catch (error) {
    say(error.message, true)
    if (error.status === 401) show(undefined)
  }
}

function show(user) {
  clearTimeout(refreshTimer)
  byId('signed-in').hidden = !user
  byId('signed-out').hidden = Boolean(user)
  byId('who').hidden = !user
  byId('who-name').textContent = user?.email ?? ''
}

function fill(table, rows, none) {
  const body = byId(table).tBodies[0]
  const columns = byId(table).tHead.rows[0].cells.length
  body.replaceChildren(...rows.map(row))
  if (rows.length === 0) {
    const cell = row([none])
    cell.cells[0].colSpan = columns
    body.append(cell)
  }
}

function row(values) {
  const tr = document.createElement('tr')
  for (const value of values) {
    const cell = tr.insertCell()
    cell.append(...(Array.isArray(value) ? value : [value]))
  }
  return tr
}

function button(label, action, question) {
  const element = document.createElement('button')
  element.type = 'button'
  element.textContent = label
  element.addEventListener('click', () => {
    if (!question || confirm(question)) attempt(action)
  })
  return element
}

function bytes(count) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = count < 1 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), units.length - 1)
  return `${(count / 1000 ** power).toFixed(power ? 1 : 0)} ${units[power]}`
}

async function refresh() {
  clearTimeout(refreshTimer)
  if (byId('signed-in').hidden) return
  const [{ devices }, { allocations }] = await Promise.all([
    api('GET', '/api/tunnel/devices'),
    api('GET', '/api/tunnel/allocations'),
  ])
  fill(
    'devices',
    devices.map(deviceRow),
    'No device yet. Run the command above on the machine that your server runs on.',
  )
  fill('tunnels', allocations.map(tunnelRow), 'No tunnel yet.')
  offer(devices.filter((device) => device.approved && device.kind === 'client'))
  refreshTimer = setTimeout(() => refresh().catch((error) => say(error.message, true)), refreshEveryMs)
}

function offer(devices) {
  const select = byId('open').elements.deviceId
  const chosen = select.value
  select.replaceChildren(...devices.map((device) => new Option(device.name, device.id)))
  if (devices.some((device) => device.id === chosen)) select.value = chosen
}

function deviceRow(device) {
  const state = device.approved ? (device.online ? 'online' : 'offline') : `waits for approval (${device.userCode})`
  const remove = () => api('DELETE', `/api/tunnel/devices/${device.id}`)
  const question = `Delete ${device.name}? Its tunnels close and its players are cut off.`
  return [device.name, state, device.version ?? '', [button('Delete', remove, question)]]
}

function tunnelRow(tunnel) {
  const path = `/api/tunnel/allocations/${tunnel.id}`
  const isClosed = tunnel.status === 'closed'
  const toggle = button(isClosed ? 'Resume' : 'Pause', () => api('POST', `${path}/${isClosed ? 'open' : 'close'}`))
  const remove = button('Delete', () => api('DELETE', path), `Delete the tunnel at port ${tunnel.port}?`)
  return [
    `${tunnel.host}:${tunnel.port}`,
    tunnel.protocol,
    `${tunnel.localHost}:${tunnel.localPort}`,
    tunnel.status,
    String(tunnel.traffic.open),
    `${bytes(tunnel.traffic.bytesIn)}, ${bytes(tunnel.traffic.bytesOut)}`,
    [toggle, remove],
  ]
}

function fields(form) {
  return Object.fromEntries(new FormData(form))
}

byId('sign-in').addEventListener('submit', (event) => {
  event.preventDefault()
  attempt(async () => {
    const { user } = await api('POST', '/api/auth/login', fields(event.target))
    event.target.reset()
    show(user)
  })
})
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
    show(user)
    await refresh()
  },
  (error) => {
    show(undefined)
    if (error.status !== 401) say(error.message, true)
  },
)
