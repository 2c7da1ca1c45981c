import { coreErrors } from '../errors.js'
import { isAccess } from './access.js'
import { normalizePath } from './request-path.js'
import type { RouteDefinition } from './route.js'

/** A definition whose schemas' types have been left behind. */
export type AnyRoute = RouteDefinition

/** The routes of a kernel. */
export interface RouteTable {
  readonly routes: readonly AnyRoute[]
  /** @throws `CORE_ERR_ROUTE_INVALID` for a URL that is no route's, and for a route that is there already */
  add(route: AnyRoute): void
  /** Adds the methods of a page's route, in Fastify's own syntax; one for everything (`/*`) says nothing of a path. */
  addPage(url: string, methods: readonly string[]): void
  /** Whether there is a page's route for everything. */
  readonly hasCatchAll: boolean
  /** Methods under which a normalised path is known, HEAD among them where there is GET. */
  methodsOf(path: string): readonly string[]
  /** First two segments of every route: the paths that are ours in a host's app. */
  readonly namespaces: readonly string[]
  /** First segment of every route. */
  readonly roots: readonly string[]
}

/** Static segments, `:name` for one whole segment, and `*` for the rest. */
const urlPattern = /^(\/(:[a-zA-Z]\w*|[\w.~-]+))*(\/\*|\/)?$/

export function createRouteTable(): RouteTable {
  const routes: AnyRoute[] = []
  let hasCatchAll = false
  const patterns = new Map<string, { readonly test: RegExp; readonly methods: Set<string> }>()
  const patternOf = (url: string): { readonly test: RegExp; readonly methods: Set<string> } => {
    const shape = url.replaceAll(/:\w+/g, ':')
    const known = patterns.get(shape) ?? { test: compile(url), methods: new Set<string>() }
    patterns.set(shape, known)
    return known
  }

  const add = (route: AnyRoute): void => {
    const { method, url } = route
    const refuse = (reason: string): never => {
      throw coreErrors.ROUTE_INVALID({ method, url, reason })
    }
    if (url === '' || !urlPattern.test(url)) refuse('a URL is made of segments, :name and a last *')
    if (!isAccess(route.access)) refuse('its access says neither who may nor what they need')
    const known = patternOf(url)
    if (known.methods.has(method)) refuse('there is such a route already')
    known.methods.add(method)
    if (method === 'GET') known.methods.add('HEAD')
    routes.push(route)
  }

  return {
    routes,
    add,
    addPage(url, methods) {
      if (url === '/*' || url === '*') {
        hasCatchAll = true
        return
      }
      const known = patternOf(url)
      for (const method of methods) known.methods.add(method)
    },
    get hasCatchAll() {
      return hasCatchAll
    },
    methodsOf(path) {
      const methods = [...patterns.values()]
        .filter(({ test }) => test.test(path))
        .flatMap((known) => [...known.methods])
      return [...new Set(methods)]
    },
    get roots() {
      return [...new Set(routes.map(({ url }) => namespaceOf(url).split('/')[1] ?? ''))].filter((root) => root !== '')
    },
    get namespaces() {
      return [...new Set(routes.map(({ url }) => namespaceOf(url)).filter((path) => path !== '/'))]
    },
  }
}

function namespaceOf(url: string): string {
  const [first = '', second = ''] = url.split('/').slice(1)
  const isStatic = (segment: string): boolean => segment !== '' && !segment.startsWith(':') && segment !== '*'
  if (!isStatic(first)) return '/'
  return normalizePath(isStatic(second) ? `/${first}/${second}` : `/${first}`)
}

function compile(url: string): RegExp {
  const segments = normalizePath(url)
    .split('/')
    .map((segment) => {
      if (segment.includes(':')) return '[^/]+'
      return segment === '*' ? '.*' : segment.replaceAll(/\W/g, '\\$&')
    })
  return new RegExp(`^${segments.join('/')}$`)
}
