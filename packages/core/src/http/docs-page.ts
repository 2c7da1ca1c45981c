import { createHash } from 'node:crypto'
import type { AnyRoute } from './route-table.js'

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 0 auto; padding: 1rem }
h2 { margin: 2rem 0 .5rem }
details { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: .5rem 0 }
summary { cursor: pointer }
code, pre { font: 14px/1.5 ui-monospace, monospace }
pre { overflow-x: auto; padding: .75rem; background: color-mix(in srgb, currentColor 8%, transparent) }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700 }
.access { opacity: .75 }
`

/** Lets the page's own style through and nothing else: no script, no picture, no request, no frame. */
export const docsPolicy: string = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The page for people: every route with what it takes and gives. Needs neither scripts nor anything from elsewhere. */
export function docsPage(routes: readonly AnyRoute[], version: string): string {
  const visible = routes.filter(({ hidden }) => hidden !== true)
  const tags = [...new Set(visible.map(({ tag }) => tag))].sort()
  const sections = tags.map((tag) =>
    section(
      tag,
      visible.filter((route) => route.tag === tag),
    ),
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sallyport API</title>
<style>${style}</style>
<h1>Sallyport API</h1>
<p>Version ${escapeHtml(version)}. For programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).
Errors are <code>application/problem+json</code> (RFC 9457).</p>
${sections.join('\n')}
</html>
`
}

function section(tag: string, routes: readonly AnyRoute[]): string {
  return `<h2>${escapeHtml(tag)}</h2>\n${routes.map(entry).join('\n')}`
}

function entry(route: AnyRoute): string {
  const parts = [
    route.description === undefined ? '' : `<p>${escapeHtml(route.description)}</p>`,
    `<p class="access">${escapeHtml(accessOf(route))}</p>`,
    schema('Path', route.params),
    schema('Query', route.query),
    schema('Body', route.body),
    ...Object.entries(route.response ?? {}).map(([status, body]) => schema(`Answer ${status}`, body)),
  ]
  const title = `<span class="method">${route.method}</span><code>${escapeHtml(route.url)}</code> ${escapeHtml(route.summary)}`
  return `<details><summary>${title}</summary>${parts.join('')}</details>`
}

function accessOf({ access }: AnyRoute): string {
  if (access === 'public') return 'For anyone.'
  if (access === 'optional') return 'For anyone; credentials are looked at when there are some.'
  if (access === 'authenticated') return 'Needs credentials.'
  const kinds = 'kinds' in access ? ` of kind ${access.kinds.join(', ')}` : ''
  return `Needs credentials${kinds}${access.permission === undefined ? '' : ` with the permission ${access.permission}`}.`
}

function schema(title: string, value: unknown): string {
  if (value === undefined) return ''
  return `<h4>${escapeHtml(title)}</h4><pre>${escapeHtml(JSON.stringify(value, undefined, 2))}</pre>`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
