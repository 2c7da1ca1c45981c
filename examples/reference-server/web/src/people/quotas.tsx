import { useState } from 'preact/hooks'
import { api, unwrap } from '../api.js'
import { useSession } from '../session.js'
import { FormDialog } from '../ui/dialog.js'
import { type FormFields, TextField } from '../ui/form.js'
import { Section } from '../ui/page.js'
import { useResource } from '../ui/resource.js'
import { say } from '../ui/say.js'

type Quotas = Readonly<Record<string, number>> | null
type QuotaChange = Record<string, number | null>

/** As the panel has it. */
const maxQuota = 1_000_000_000
const titles: Readonly<Record<string, string>> = {
  allocationsPerUser: 'Tunnels',
  allocationsPerOrganisation: 'Tunnels',
}

interface OwnQuotasProps {
  /** Those that count here, by their names in the settings. */
  readonly known: readonly string[]
  readonly quotas: Quotas
  /** Such as `this user`. */
  readonly whose: string
  /** Left out: may only be seen. */
  readonly onChange?: (change: QuotaChange) => Promise<void>
}

/** Limits of one user or organisation, in place of the settings'. */
export function OwnQuotas({ known, quotas, whose, onChange }: OwnQuotasProps) {
  const [isOpen, setOpen] = useState(false)
  const common = useCommonQuotas()
  const names = [...new Set([...known, ...Object.keys(quotas ?? {})])]
  const commonly = (name: string) => {
    const limit = common?.[name]
    return limit === undefined ? 'as the settings say' : `${limit.toLocaleString('en')}, as the settings say`
  }
  const save = async (fields: FormFields) => {
    const change = Object.fromEntries(names.map((name) => [name, fields.number(name) ?? null]))
    await onChange?.(change)
    say('The quotas are saved.')
  }
  return (
    <Section
      title="Quotas"
      actions={
        onChange && (
          <button type="button" class="outline small" aria-label="Change quotas" onClick={() => setOpen(true)}>
            Change
          </button>
        )
      }
    >
      <dl class="particulars">
        {names.map((name) => (
          <div key={name}>
            <dt>{titles[name] ?? name}</dt>
            <dd>
              {quotas?.[name] === undefined ? (
                <span class="text-light">{commonly(name)}</span>
              ) : (
                `${quotas[name].toLocaleString('en')}, for ${whose} alone`
              )}
            </dd>
          </div>
        ))}
      </dl>
      {isOpen && (
        <FormDialog title={`Quotas of ${whose}`} submit="Save" onSubmit={save} onClose={() => setOpen(false)}>
          <p>A number here counts in place of the settings’. Left empty, the settings count.</p>
          {names.map((name) => (
            <TextField
              key={name}
              label={titles[name] ?? name}
              name={name}
              type="number"
              inputMode="numeric"
              min={0}
              max={maxQuota}
              step={1}
              defaultValue={quotas?.[name] ?? ''}
              placeholder={common?.[name] === undefined ? undefined : String(common[name])}
              hint="0 allows none. What there is already stays."
            />
          ))}
        </FormDialog>
      )}
    </Section>
  )
}

/** Those of the settings, for whoever may see them. */
function useCommonQuotas(): Readonly<Record<string, number>> | undefined {
  const { may } = useSession()
  const mayRead = may('settings:write')
  const { data } = useResource(async () => (mayRead ? unwrap(api.GET('/api/settings')) : undefined), String(mayRead))
  return data?.quotas
}
