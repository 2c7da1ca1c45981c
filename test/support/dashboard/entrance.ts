import type { CDPSession, Page } from 'playwright-core'
import type { Person } from '../sign-in-panel.js'

/** Fills in the sign-in and sends it. */
export async function enterPassword(
  page: Page,
  { email, password }: Pick<Person, 'email' | 'password'>,
): Promise<void> {
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

/** Waits until the dashboard is there instead of the sign-in. */
export async function signedIn(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
}

/** Waits for the sign-in. */
export async function signedOut(page: Page): Promise<void> {
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
}

/** An authenticator such as a phone has, more exactly than `open` makes one. */
export async function addAuthenticator(cdp: CDPSession, more: object = {}): Promise<string> {
  await cdp.send('WebAuthn.enable')
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      ...more,
    },
  })
  return authenticatorId
}

/** Else the browser of a test chooses a passkey by itself as soon as the page has asked for one. */
export async function withoutAutofill(page: Page): Promise<void> {
  await page.addInitScript('PublicKeyCredential.isConditionalMediationAvailable = async () => false')
  await page.reload()
}
