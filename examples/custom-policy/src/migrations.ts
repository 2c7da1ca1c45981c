import type { Migration } from '@sallyport/core'

/** The host's own tables, beside Sallyport's. */
export const migrations: readonly Migration[] = [
  {
    name: '0001-create-policy',
    up: ({ sql }) =>
      sql(`
        CREATE TABLE policy_accounts (id text PRIMARY KEY, plan text NOT NULL, region text NOT NULL);
        CREATE TABLE policy_bans (
          id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          range cidr NOT NULL UNIQUE,
          reason text NOT NULL
        );
        CREATE TABLE policy_seats (
          relay_id text NOT NULL,
          allocation_id bigint NOT NULL,
          address inet NOT NULL,
          port integer NOT NULL,
          account_id text NOT NULL,
          since timestamptz NOT NULL DEFAULT now(),
          PRIMARY KEY (relay_id, allocation_id, address, port)
        );
        CREATE INDEX policy_seats_account ON policy_seats (account_id)`),
  },
]
