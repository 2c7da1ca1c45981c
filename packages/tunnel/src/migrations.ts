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

const instances = `
  -- One row for each running panel process. Whatever names an instance is in force while alive_until is ahead.
  CREATE TABLE tunnel_instances (
    id uuid PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    alive_until timestamptz NOT NULL
  );

  -- Presence: instance_id is set while a control channel stands there; session_number says which channel is the newest.
  ALTER TABLE tunnel_devices DROP COLUMN online_until;
  ALTER TABLE tunnel_devices ADD COLUMN session_number bigint NOT NULL DEFAULT 0;
  -- The owner's accessStamp when the device was approved: under another one its token is void.
  ALTER TABLE tunnel_devices ADD COLUMN owner_stamp text;
  UPDATE tunnel_devices SET instance_id = NULL;
  CREATE INDEX tunnel_devices_instance ON tunnel_devices (instance_id) WHERE instance_id IS NOT NULL;
`

const relayFleet = `
  -- Stand-alone relays have the id of their device. device_id null for one of them: its device was deleted, it is gone for good.
  ALTER TABLE tunnel_relays ADD COLUMN device_id uuid UNIQUE REFERENCES tunnel_devices (id) ON DELETE SET NULL;
  ALTER TABLE tunnel_relays ADD COLUMN labels jsonb NOT NULL DEFAULT '{}';
  ALTER TABLE tunnel_relays ADD COLUMN capacity integer;
  ALTER TABLE tunnel_relays ADD COLUMN port_from integer;
  ALTER TABLE tunnel_relays ADD COLUMN port_to integer;
  -- Sealed; whoever has it can make tickets.
  ALTER TABLE tunnel_relays ADD COLUMN ticket_key text;
  -- The relay's clock minus the database's, milliseconds.
  ALTER TABLE tunnel_relays ADD COLUMN clock_offset integer NOT NULL DEFAULT 0;
  ALTER TABLE tunnel_relays ADD COLUMN version text;
  ALTER TABLE tunnel_relays ADD COLUMN draining boolean NOT NULL DEFAULT false;
  ALTER TABLE tunnel_relays ADD COLUMN devices integer NOT NULL DEFAULT 0;
  ALTER TABLE tunnel_relays ADD COLUMN connections integer NOT NULL DEFAULT 0;
  -- The instance that steers it, while one does.
  ALTER TABLE tunnel_relays ADD COLUMN instance_id uuid;

  -- One name, one set of ports.
  UPDATE tunnel_allocations a SET host_group = lower(r.host) FROM tunnel_relays r
    WHERE r.id = a.relay_id AND r.host_group = 'default' AND a.host_group = 'default';
  UPDATE tunnel_relays SET host_group = lower(host) WHERE host_group = 'default';

  ALTER TABLE tunnel_allocations ADD COLUMN options jsonb NOT NULL DEFAULT '{}';
  -- As its relay last said: 'open' or 'failed' with the system's code; null: not yet.
  ALTER TABLE tunnel_allocations ADD COLUMN relay_status text;
  ALTER TABLE tunnel_allocations ADD COLUMN relay_error text;
  -- Why the agent last could not reach the target, or null.
  ALTER TABLE tunnel_allocations ADD COLUMN target_error text;
  -- The relay's running totals that are in bytes_in, bytes_out and connections already.
  ALTER TABLE tunnel_allocations ADD COLUMN counted_epoch text;
  -- The epoch before: what is told of it later was counted or is lost, but is never counted twice.
  ALTER TABLE tunnel_allocations ADD COLUMN counted_before text;
  ALTER TABLE tunnel_allocations ADD COLUMN counted_in bigint NOT NULL DEFAULT 0;
  ALTER TABLE tunnel_allocations ADD COLUMN counted_out bigint NOT NULL DEFAULT 0;
  ALTER TABLE tunnel_allocations ADD COLUMN counted_connections bigint NOT NULL DEFAULT 0;

  -- Ports that were given back, kept for their device.
  CREATE TABLE tunnel_held_ports (
    host_group text NOT NULL,
    port integer NOT NULL,
    protocol text NOT NULL CHECK (protocol IN ('tcp', 'udp')),
    device_id uuid NOT NULL REFERENCES tunnel_devices (id) ON DELETE CASCADE,
    local_port integer NOT NULL,
    held_until timestamptz NOT NULL,
    PRIMARY KEY (host_group, port, protocol)
  );
  CREATE INDEX tunnel_held_ports_device ON tunnel_held_ports (device_id);
  CREATE INDEX tunnel_held_ports_until ON tunnel_held_ports (held_until);
`

const trafficSeries = `
  CREATE TABLE tunnel_traffic_minutes (
    allocation_id bigint NOT NULL REFERENCES tunnel_allocations (id) ON DELETE CASCADE,
    at timestamptz NOT NULL,
    bytes_in bigint NOT NULL,
    bytes_out bigint NOT NULL,
    connections bigint NOT NULL,
    PRIMARY KEY (allocation_id, at)
  );
  CREATE INDEX tunnel_traffic_minutes_at ON tunnel_traffic_minutes (at);
  CREATE TABLE tunnel_traffic_hours (LIKE tunnel_traffic_minutes INCLUDING ALL);
  ALTER TABLE tunnel_traffic_hours
    ADD FOREIGN KEY (allocation_id) REFERENCES tunnel_allocations (id) ON DELETE CASCADE;
`

const webhooks = `
  CREATE TABLE tunnel_webhook_deliveries (
    -- Also the message's id for the receiver, the same at each try.
    id uuid PRIMARY KEY,
    endpoint text NOT NULL,
    event text NOT NULL,
    body text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX tunnel_webhook_deliveries_due ON tunnel_webhook_deliveries (endpoint, due_at);

  -- What webhooks last said of them.
  ALTER TABLE tunnel_devices ADD COLUMN told_online boolean NOT NULL DEFAULT false;
  ALTER TABLE tunnel_relays ADD COLUMN told_online boolean NOT NULL DEFAULT false;
`

const relayEncryption = `
  -- How agents know the relay: SHA-256 of its certificate, or null: by the authorities that their machines trust.
  ALTER TABLE tunnel_relays ADD COLUMN fingerprint text;
  ALTER TABLE tunnel_relays ADD COLUMN encryption text NOT NULL DEFAULT 'tls' CHECK (encryption IN ('tls', 'off'));
`

export const migrations: readonly Migration[] = [
  { name: '0001-create-devices', up: ({ sql }) => sql(devices) },
  { name: '0002-create-relays', up: ({ sql }) => sql(relays) },
  { name: '0003-create-allocations', up: ({ sql }) => sql(allocations) },
  { name: '0004-create-instances', up: ({ sql }) => sql(instances) },
  { name: '0005-relay-fleet', up: ({ sql }) => sql(relayFleet) },
  { name: '0006-create-traffic-series', up: ({ sql }) => sql(trafficSeries) },
  { name: '0007-create-webhooks', up: ({ sql }) => sql(webhooks) },
  { name: '0008-relay-encryption', up: ({ sql }) => sql(relayEncryption) },
]
