import { defineMigrations } from '../postgres/migrations.ts'

/**
 * The tables of the outbox, for {@link migrate}: `evtkit_outbox`, a queue that is empty when all is well, and
 * `evtkit_outbox_set_aside`, what could not be sent as it is.
 */
export const outboxMigrations = defineMigrations('evtkit-outbox', [
  {
    id: '001-tables',
    // The identity must not cache values: a cached block would be handed out later than its numbers say, and id order
    // would no longer be commit order per key. Vacuum by count, not by share: the table is small and churns.
    sql: `
create table evtkit_outbox (
  id bigint generated always as identity (cache 1) primary key,
  key_hash integer not null,
  topic text not null,
  key bytea,
  value bytea,
  headers bytea not null,
  timestamp_ms bigint,
  created_at timestamptz not null default now()
) with (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000,
  autovacuum_vacuum_cost_delay = 0
);
create table evtkit_outbox_set_aside (
  id bigint primary key,
  key_hash integer not null,
  topic text not null,
  key bytea,
  value bytea,
  headers bytea not null,
  timestamp_ms bigint,
  created_at timestamptz not null,
  error_code text,
  error_message text,
  set_aside_at timestamptz not null default now()
);
create index evtkit_outbox_set_aside_key on evtkit_outbox_set_aside (key_hash, topic, key);
`,
  },
])
