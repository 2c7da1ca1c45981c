import type { FetchResponse, ParamsOption, RequestBodyOption } from 'openapi-fetch'
import type { paths } from '../../client/openapi.js'

/** Requests and answers of the panel's API, as its document has them. */
export type Method = 'get' | 'post' | 'patch' | 'delete'

/** Of the routes that take this method, with `{parameters}` in it. */
export type Path<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, object> ? P : never
}[keyof paths]

export type Call<M extends Method, P extends Path<M>> = ParamsOption<paths[P][M]> &
  RequestBodyOption<paths[P][M]> & { signal?: AbortSignal }

/** What a panel of this version answers with 2xx. */
export type Answer<M extends Method, P extends Path<M>> =
  paths[P][M] extends Record<string | number, unknown>
    ? Exclude<FetchResponse<paths[P][M], unknown, 'application/json'>['data'], undefined>
    : never

declare const of: unique symbol

/** JSON that ought to be a `T`, but comes from the network: it is read field by field before it is used. */
export interface Unread<T> {
  readonly [of]?: T
}
