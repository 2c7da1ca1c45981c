export type PanelUrlResult = { ok: true; url: URL } | { ok: false; detail: string }

/** Reads a panel's base URL: http or https, a path prefix is kept, no credentials, query or fragment. Never throws. */
export function parsePanelUrl(text: string): PanelUrlResult {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return { ok: false, detail: 'the panel must be a URL such as https://panel.example.com' }
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return { ok: false, detail: 'the panel must be an http or https URL' }
  }
  if (url.username !== '' || url.password !== '') {
    return { ok: false, detail: 'the panel URL must not carry a user name or password' }
  }
  if (url.search !== '' || url.hash !== '') {
    return { ok: false, detail: 'the panel URL must not carry a query or a fragment' }
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return { ok: true, url }
}

/** The URL of an API `path` (from `/api/…`) under the panel's base URL. */
export function panelRoute(panel: URL, path: string): URL {
  return new URL(path.replace(/^\/+/, ''), panel)
}

/** How the panel is shown to people and kept in the config file: no trailing slash. */
export function showPanel(panel: URL): string {
  return panel.href.replace(/\/+$/, '')
}

/** True when what is sent to `panel` can be read on its way: plain http to another machine. */
export function isReadableOnTheWay(panel: URL): boolean {
  if (panel.protocol === 'https:') return false
  const host = panel.hostname
  return !(host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d+){3}$/.test(host))
}
