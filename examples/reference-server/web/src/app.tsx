import type { ComponentType } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import lazy, { ErrorBoundary } from 'preact-iso/lazy'
import { LocationProvider, Route, Router, useLocation } from 'preact-iso/router'
import { wordsOf } from './api.js'
import { LiveProvider } from './live.js'
import { Navigation } from './navigation.js'
import { SessionProvider, useSession } from './session.js'
import { SignIn } from './sign-in/sign-in.js'
import { FreshProvider } from './ui/fresh.js'
import { Arrival, Page } from './ui/page.js'
import { Failure, Waiting } from './ui/states.js'

const rooms = () => import('./rooms.js')
const [Start, Account, Keys] = [room('Start'), room('Account'), room('Keys')]
const [Tunnels, Tunnel, Relays] = [room('Tunnels'), room('Tunnel'), room('Relays')]
const [Devices, Verify] = [room('Devices'), room('Verify')]
const [Users, User] = [room('Users'), room('User')]
const [Organisations, Organisation] = [room('Organisations'), room('Organisation')]
const [Settings, Audit] = [room('Settings'), room('Audit')]

/** A page for who is signed in. After an update of the panel the script that is asked for may be gone. */
function room(name: keyof Awaited<ReturnType<typeof rooms>>): ComponentType {
  return lazy(() =>
    rooms().then(
      (pages): ComponentType => pages[name],
      () => Unloadable,
    ),
  )
}

export function App() {
  // Most who come are signed in, or will be in a moment: not only when that is known.
  useEffect(() => void rooms().catch(() => undefined), [])
  return (
    <LocationProvider>
      <SessionProvider>
        <Entrance />
      </SessionProvider>
    </LocationProvider>
  )
}

/** Nobody signed in: the sign-in, at whatever address, so that one is where one wanted to be afterwards. */
function Entrance() {
  const { user, error, reload } = useSession()
  const { path } = useLocation()
  if (error !== undefined && user === undefined) {
    return (
      <main class="entrance">
        <Failure message={wordsOf(error)} retry={reload} />
      </main>
    )
  }
  if (user === undefined) {
    return (
      <main class="entrance">
        <Waiting />
      </main>
    )
  }
  if (user === null || path === '/reset-password') return <SignIn />
  return (
    // Of somebody else nothing stays.
    <LiveProvider key={user.id}>
      <FreshProvider>
        <Frame />
      </FreshProvider>
    </LiveProvider>
  )
}

function Frame() {
  const { path } = useLocation()
  const [menuOpen, setMenuOpen] = useState(false)
  const [isBroken, setBroken] = useState(false)
  const here = useRef(path)
  const arrival = useRef(false)
  if (here.current !== path) {
    here.current = path
    arrival.current = true
  }
  useEffect(() => {
    setMenuOpen(false)
    setBroken(false)
  }, [path])
  return (
    <Arrival.Provider value={arrival}>
      <div class="frame" data-sidebar-layout data-sidebar-open={menuOpen || undefined}>
        <Navigation isOpen={menuOpen} setOpen={setMenuOpen} />
        <main id="main">
          <ErrorBoundary onError={() => setBroken(true)}>
            {isBroken ? (
              <Unloadable />
            ) : (
              <Router>
                <Route path="/" component={Start} />
                <Route path="/devices" component={Devices} />
                <Route path="/tunnel/verify" component={Verify} />
                <Route path="/tunnels" component={Tunnels} />
                <Route path="/tunnels/:id" component={Tunnel} />
                <Route path="/relays" component={Relays} />
                <Route path="/keys" component={Keys} />
                <Route path="/account" component={Account} />
                <Route path="/users" component={Users} />
                <Route path="/users/:id" component={User} />
                <Route path="/organisations" component={Organisations} />
                <Route path="/organisations/:id" component={Organisation} />
                <Route path="/settings" component={Settings} />
                <Route path="/audit" component={Audit} />
                <Route default component={Nowhere} />
              </Router>
            )}
          </ErrorBoundary>
        </main>
      </div>
    </Arrival.Provider>
  )
}

function Nowhere() {
  return (
    <Page title="Not found">
      <p>
        There is no such page. <a href="/">Go to the overview</a>
      </p>
    </Page>
  )
}

function Unloadable() {
  return (
    <Page title="This page could not be shown">
      <Failure
        message="It could not be loaded, or something in it failed. The panel may have been updated meanwhile."
        retry={() => location.reload()}
      />
    </Page>
  )
}
