import type { Migration } from '@sallyport/core'

const devices = `
  CREATE TABLE tunnel_devices (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('client', 'server')),
    owner_id text,
    organisation_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Enrolment. The device code is kept as its SHA-256 only; expires_at is the end of the wait for approval, then of
    -- the time in which the token can be fetched.
    user_code text NOT NULL,
    device_code_hash text NOT NULL UNIQUE,
    started_by text,
    expires_at timestamptz NOT NULL,
    polled_at timestamptz,
    approved_at timestamptz,
    denied_at timestamptz,
    redeemed_at timestamptz,
    -- jti of the one token in force; null: none is.
    token_id uuid,
    -- Presence.
    session_id uuid,
    instance_id uuid,
    online_until timestamptz,
    last_seen_at timestamptz,
    version text,
    platform text
  );
  CREATE UNIQUE INDEX tunnel_devices_pending_user_code ON tunnel_devices (user_code)
    WHERE approved_at IS NULL AND denied_at IS NULL;
  CREATE INDEX tunnel_devices_pending ON tunnel_devices (expires_at) WHERE approved_at IS NULL;
  CREATE INDEX tunnel_devices_user_code ON tunnel_devices (user_code);
  CREATE INDEX tunnel_devices_owner ON tunnel_devices (owner_id);
  CREATE INDEX tunnel_devices_organisation ON tunnel_devices (organisation_id);
`

const relays = `
  CREATE TABLE tunnel_relays (
    id text PRIMARY KEY,
    host_group text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('embedded', 'standalone')),
    host text NOT NULL,
    data_port integer NOT NULL,
    region text,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now()
  );
`

const allocations = `
  CREATE TABLE tunnel_allocations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id uuid NOT NULL REFERENCES tunnel_devices (id) ON DELETE CASCADE,
    relay_id text NOT NULL REFERENCES tunnel_relays (id),
    host_group text NOT NULL,
    protocol text NOT NULL CHECK (protocol IN ('tcp', 'udp')),
    port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
    local_host text NOT NULL,
    local_port integer NOT NULL CHECK (local_port BETWEEN 1 AND 65535),
    name text,
    paused boolean NOT NULL DEFAULT false,
    bytes_in bigint NOT NULL DEFAULT 0,
    bytes_out bigint NOT NULL DEFAULT 0,
    connections bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tunnel_allocations_port UNIQUE (host_group, port, protocol)
  );
  CREATE INDEX tunnel_allocations_device ON tunnel_allocations (device_id);
  CREATE INDEX tunnel_allocations_relay ON tunnel_allocations (relay_id);
  CREATE SEQUENCE tunnel_revision;
`

export const migrations: readonly Migration[] = [
  { name: '0001-create-devices', up: ({ sql }) => sql(devices) },
  { name: '0002-create-relays', up: ({ sql }) => sql(relays) },
  { name: '0003-create-allocations', up: ({ sql }) => sql(allocations) },
]
