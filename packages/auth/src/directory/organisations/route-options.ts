import type { Audit, Http, Principal } from '@sallyport/core'
import { type TBoolean, type TObject, type TString, Type } from '@sinclair/typebox'
import type { Members } from './members.js'
import type { Organisations } from './organisations.js'

/** What the routes of organisations work with. */
export interface OrganisationRoutesOptions {
  readonly http: Http
  readonly organisations: Organisations
  readonly members: Members
  readonly audit: Audit
}

/** Group in the OpenAPI document. */
export const tag = 'Organisations'

export const byId: TObject<{ id: TString }> = Type.Object({ id: Type.String() })
export const success: TObject<{ success: TBoolean }> = Type.Object({ success: Type.Boolean() })

type Recorder = (
  action: string,
  id: string,
  context: { readonly principal: Principal; readonly ip: string; readonly requestId: string },
  data?: Readonly<Record<string, unknown>>,
) => Promise<void>

/** Records what was done to an organisation. */
export function createRecorder(audit: Audit): Recorder {
  return (action, id, { principal, ip, requestId }, data) => {
    const target = { type: 'organisation', id }
    return audit.record({ action, actor: principal, target, ip, requestId, ...(data && { data }) })
  }
}
