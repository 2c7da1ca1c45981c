interface Words {
  readonly title: string
  readonly about?: string
}

/** Of what the panel has itself, by `section` and `section.field`. */
const known: Readonly<Record<string, Words>> = {
  features: { title: 'Features' },
  quotas: {
    title: 'Quotas',
    about: 'How much anyone may have. Users and organisations can be given limits of their own on their pages.',
  },
  'features.tunnels': {
    title: 'Tunnels',
    about: 'While this is off, nobody can join through a tunnel, and devices wait to be let in again.',
  },
  'quotas.allocationsPerUser': {
    title: 'Tunnels per user',
    about: 'A tunnel for TCP and UDP together counts as two. Those that there are stay when this is lowered.',
  },
  'quotas.allocationsPerOrganisation': {
    title: 'Tunnels per organisation',
    about: 'Counted over all devices of the organisation.',
  },
}

/** What is not known is called by its name: `maxServers` is “Max servers”. */
export function wordsFor(key: string): Words {
  const name = key.split('.').at(-1) ?? key
  const spaced = name.replace(
    /([a-z0-9])([A-Z])/g,
    (_, before: string, after: string) => `${before} ${after.toLowerCase()}`,
  )
  return known[key] ?? { title: spaced.charAt(0).toUpperCase() + spaced.slice(1) }
}
