import type { Page } from 'playwright-core'

interface Refusal {
  readonly status: number
  readonly error: string
  readonly detail?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Only requests of this method; default: of any. */
  readonly method?: string
}

/** The next such request is refused as the panel would refuse it, without getting there. */
export async function refuseOnce(
  page: Page,
  url: string | RegExp,
  { method, status, error, detail = 'The panel says no', headers = {} }: Refusal,
): Promise<void> {
  let refused = false
  await page.route(url, (route) => {
    if (refused || (method !== undefined && route.request().method() !== method)) return route.fallback()
    refused = true
    return route.fulfill({
      status,
      headers: { 'content-type': 'application/problem+json', ...headers },
      body: JSON.stringify({ type: 'about:blank', title: 'Refused', status, error, detail }),
    })
  })
}

/** As for a session whose owner proved who they are longer ago than ten minutes. */
export const notFresh: Refusal = { status: 403, error: 'reauthentication_required', detail: 'Prove again who you are' }
