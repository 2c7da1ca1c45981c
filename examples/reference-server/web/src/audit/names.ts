import { useMemo } from 'preact/hooks'
import { useOrganisations } from '../devices/owner-names.js'
import { useEmails } from '../people/names.js'

/** Names of people and organisations by their ids, as far as the reader may know them. */
export interface Names {
  readonly emails: ReadonlyMap<string, string>
  readonly organisations: ReadonlyMap<string, string>
}

export function useNames(): Names {
  const emails = useEmails()
  const { data } = useOrganisations()
  return useMemo(() => ({ emails, organisations: new Map(data?.map(({ id, name }) => [id, name])) }), [emails, data])
}
