import { useEffect, useRef, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso/router'
import { wordsOf } from './api.js'
import { useLive } from './live.js'
import { useSession, useUser } from './session.js'
import { say } from './ui/say.js'

interface Place {
  readonly href: string
  readonly label: string
  /** Left out: everyone's. */
  readonly permission?: string
}

const own: readonly Place[] = [
  { href: '/', label: 'Overview' },
  { href: '/tunnels', label: 'Tunnels' },
  { href: '/devices', label: 'Devices' },
  { href: '/relays', label: 'Relays' },
  { href: '/organisations', label: 'Organisations' },
  { href: '/keys', label: 'API keys' },
  { href: '/account', label: 'Account and security' },
]
const administration: readonly Place[] = [
  { href: '/users', label: 'Users', permission: 'users:read' },
  { href: '/settings', label: 'Settings', permission: 'settings:write' },
  { href: '/audit', label: 'Audit', permission: 'audit:read' },
]

interface NavigationProps {
  readonly isOpen: boolean
  readonly setOpen: (open: boolean) => void
}

/** The bar at the top and the list of places; on narrow screens the list opens over the page. */
export function Navigation({ isOpen, setOpen }: NavigationProps) {
  const { may } = useSession()
  const toggle = useRef<HTMLButtonElement>(null)
  const places = administration.filter(({ permission = '' }) => may(permission))
  useEffect(() => {
    if (!isOpen) return
    const onKey = ({ key }: KeyboardEvent) => {
      if (key !== 'Escape') return
      setOpen(false)
      toggle.current?.focus()
    }
    // Beside it: whoever taps there wants the page.
    const onPointer = ({ target }: PointerEvent) => {
      if (target instanceof Element && target.closest('main')) setOpen(false)
    }
    document.addEventListener('keydown', onKey)
    document.addEventListener('pointerdown', onPointer)
    return () => {
      document.removeEventListener('keydown', onKey)
      document.removeEventListener('pointerdown', onPointer)
    }
  }, [isOpen, setOpen])
  return (
    <>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <nav data-topnav aria-label="Panel">
        <button
          ref={toggle}
          type="button"
          class="ghost menu-toggle"
          aria-expanded={isOpen}
          aria-controls="places"
          onClick={() => setOpen(!isOpen)}
        >
          Menu
        </button>
        <a class="brand" href="/">
          <img src="/assets/icon.svg" alt="" width="20" height="20" /> Sallyport
        </a>
        <Connection />
        <Who />
      </nav>
      <aside id="places" data-sidebar>
        <nav aria-label="Places">
          <List places={own} />
          {places.length > 0 && (
            <>
              <h2 class="group">Administration</h2>
              <List places={places} />
            </>
          )}
        </nav>
        <footer>
          <a href="/api/docs" target="_blank" rel="noreferrer">
            API documentation
          </a>
        </footer>
      </aside>
    </>
  )
}

function List({ places }: { places: readonly Place[] }) {
  const { path } = useLocation()
  const isHere = (href: string) => path === href || (href !== '/' && path.startsWith(`${href}/`))
  return (
    <ul>
      {places.map(({ href, label }) => (
        <li key={href}>
          <a href={href} aria-current={isHere(href) ? 'page' : undefined}>
            {label}
          </a>
        </li>
      ))}
    </ul>
  )
}

/** Says when what is shown may be old. */
function Connection() {
  const { state } = useLive()
  return (
    <span class="connection" role="status">
      {state === 'lost' && (
        <span class="badge" data-variant="warning">
          Reconnecting…
        </span>
      )}
    </span>
  )
}

function Who() {
  const { signOut } = useSession()
  const { name, email } = useUser()
  const [busy, setBusy] = useState(false)
  const leave = async () => {
    if (busy) return
    setBusy(true)
    try {
      await signOut()
    } catch (error) {
      say(wordsOf(error), 'danger')
      setBusy(false)
    }
  }
  return (
    <span class="who">
      <span class="who-name" title={email}>
        {name ?? email}
      </span>
      <button type="button" class="outline small" aria-disabled={busy || undefined} onClick={leave}>
        Sign out
      </button>
    </span>
  )
}
