import { useLocation } from 'preact-iso/router'
import { useSession } from '../session.js'
import { Action } from '../ui/action.js'
import { NotAllowed } from '../ui/not-allowed.js'
import { Page, Section } from '../ui/page.js'
import { Empty, Loaded } from '../ui/states.js'
import { AuditEntryItem } from './entry.js'
import { AuditFilters } from './filters.js'
import { type AuditFilter, filterNames, useAuditLog } from './log.js'
import { useNames } from './names.js'

export function Audit() {
  const { may } = useSession()
  return may('audit:read') ? <Log /> : <NotAllowed title="Audit" permission="audit:read" />
}

function Log() {
  const { query, route } = useLocation()
  const names = useNames()
  // In the address, so that it can be kept and passed on.
  const filter: AuditFilter = Object.fromEntries(filterNames.map((name) => [name, query[name] ?? '']))
  const setFilter = (change: AuditFilter) => {
    const wanted = Object.entries({ ...filter, ...change }).filter(([, value]) => value !== '')
    route(wanted.length === 0 ? '/audit' : `/audit?${new URLSearchParams(wanted)}`)
  }
  const log = useAuditLog(filter)
  const isFiltered = filterNames.some((name) => filter[name])
  return (
    <Page
      title="Audit"
      actions={
        <Action class="outline" onAction={log.reload}>
          Refresh
        </Action>
      }
    >
      <Section title="Filter">
        <AuditFilters filter={filter} emails={names.emails} onFilter={setFilter} />
      </Section>
      <section class="card section">
        <Loaded resource={log} lines={10}>
          {({ entries, next }) =>
            entries.length === 0 ? (
              <Empty title={isFiltered ? 'Nothing matches' : 'Nothing has been done yet'}>
                {isFiltered && <p>Names and IDs must be whole.</p>}
              </Empty>
            ) : (
              <>
                <ol class="audit">
                  {entries.map((entry) => (
                    <AuditEntryItem key={entry.id} entry={entry} names={names} onFilter={setFilter} />
                  ))}
                </ol>
                <div class="paging">
                  <p class="text-light" role="status">
                    {next === null
                      ? `${entries.length.toLocaleString('en')} entries. These are all.`
                      : `The newest ${entries.length.toLocaleString('en')} entries.`}
                  </p>
                  {next !== null && <Action onAction={log.older}>Load older</Action>}
                </div>
              </>
            )
          }
        </Loaded>
      </section>
    </Page>
  )
}
