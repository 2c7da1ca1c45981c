import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'
import { findChromium, missingChromium } from '../../../packages/auth/dist-test/support/chromium.js'
import type { Person } from '../sign-in-panel.js'
import { type SignInPanel, startSignInPanel } from '../sign-in-panel.js'

export { missingChromium }

export interface OpenOptions {
  /** Signed in as; left out: nobody. */
  readonly as?: Pick<Person, 'email' | 'password'>
  /** Where to begin; default `/`. */
  readonly path?: string
  /** Pixels; default 1280. */
  readonly width?: number
  readonly colorScheme?: 'light' | 'dark'
  /** A virtual authenticator with resident keys and user verification (WebAuthn section 11). */
  readonly authenticator?: boolean
}

export interface Visit {
  readonly page: Page
  readonly context: BrowserContext
  readonly cdp: CDPSession
}

/** The reference server and a browser. */
export interface Dashboard extends SignInPanel {
  readonly browser: Browser
  /** Opens the dashboard in a browser context of its own, which goes with the test. */
  open(options?: OpenOptions): Promise<Visit>
}

const height = 900
/** Of one step in a page: a loaded machine takes its time. */
const stepTimeoutMs = 15_000

/** @param env of the panel; tests of tunnels give `RELAY_EMBEDDED: 'true'` */
export async function startDashboard(t: Test, env: Readonly<Record<string, string>> = {}): Promise<Dashboard> {
  const panel = await startSignInPanel(t, env)
  const browser = await chromium.launch({ executablePath: findChromium() ?? '', args: ['--no-sandbox'] })
  t.teardown(() => browser.close())

  const open: Dashboard['open'] = async ({
    as,
    path = '/',
    width = 1280,
    colorScheme = 'light',
    authenticator,
  } = {}) => {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' })
    context.setDefaultTimeout(stepTimeoutMs)
    const page = await context.newPage()
    failOnErrors(t, page)
    if (as) {
      const answer = await context.request.post(`${panel.url}/api/auth/login`, {
        data: { email: as.email, password: as.password },
      })
      if (!answer.ok()) throw new Error(`signing in as ${as.email}: ${answer.status()} ${await answer.text()}`)
    }
    const cdp = await context.newCDPSession(page)
    if (authenticator) await addAuthenticator(cdp)
    await page.goto(panel.url + path)
    return { page, context, cdp }
  }
  return { ...panel, browser, open }
}

async function addAuthenticator(cdp: CDPSession): Promise<void> {
  await cdp.send('WebAuthn.enable')
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
}

/** What a script throws, and what the content security policy refuses, fails the test. Refused requests are said, too, and belong to some. */
function failOnErrors(t: Test, page: Page): void {
  page.on('pageerror', (error) => t.fail(`the page threw: ${error.message}`))
  page.on('console', (message) => {
    const isRequest = message.text().startsWith('Failed to load resource')
    if (message.type() === 'error' && !isRequest) t.fail(`the page complains: ${message.text()}`)
  })
}
