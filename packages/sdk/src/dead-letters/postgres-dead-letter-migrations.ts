import { defineMigrations } from '../postgres/migrations.ts'

/**
 * The tables of failed events, for {@link migrate}: `evtkit_waiting_keys`, a row per group and key whose events wait,
 * `evtkit_failed_events`, the parked events and the dead letters themselves, and a record of everything people did to them.
 */
export const deadLetterMigrations = defineMigrations('evtkit-dead-letters', [
  {
    id: '001-tables',
    // Keys and headers come from outside and may be of any length, and an index takes some 2,700 bytes: keys are indexed by
    // their hash, and the texts taken from headers are cut before they are stored.
    // The reference to the waiting key is what makes it impossible to reopen a key while an event of it still waits.
    sql: `
create table evtkit_waiting_keys (
  id bigint generated always as identity primary key,
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  key bytea,
  key_hash bytea not null,
  state text not null check (state in ('retrying', 'stopped')),
  since timestamptz not null default now(),
  due_at timestamptz not null,
  claim uuid,
  unique (consumer_group, topic, partition, key_hash)
) with (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);
create index evtkit_waiting_keys_due on evtkit_waiting_keys (consumer_group, due_at) where state = 'retrying';

create sequence evtkit_failed_events_position cache 1;
create table evtkit_failed_events (
  id bigint generated always as identity primary key,
  position bigint not null default nextval('evtkit_failed_events_position'),
  waiting_key bigint references evtkit_waiting_keys (id),
  state text not null check (state in ('parked', 'dead', 'redriven', 'discarded')),
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  record_offset bigint not null,
  content_hash bytea not null,
  key bytea,
  key_hash bytea not null,
  value bytea,
  headers bytea not null,
  timestamp_ms bigint,
  event_id text,
  event_type text,
  event_version text,
  correlation_id text,
  schema_id text,
  after_giving_up text check (after_giving_up in ('stop', 'skip')),
  attempts jsonb not null default '[]',
  attempt_count integer not null default 0,
  retries integer not null default 0,
  redrives integer not null default 0,
  error_code text,
  error_message text,
  first_seen timestamptz not null default now(),
  last_seen timestamptz not null default now(),
  times_seen integer not null default 1,
  first_failed timestamptz,
  last_failed timestamptz,
  ended_at timestamptz,
  not_before timestamptz,
  revision integer not null default 0,
  unique (consumer_group, topic, partition, record_offset, content_hash),
  check (waiting_key is not null or state <> 'parked')
) with (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);
create index evtkit_failed_events_queue on evtkit_failed_events (waiting_key, position) where waiting_key is not null;
create index evtkit_failed_events_dead on evtkit_failed_events (consumer_group, id) where state = 'dead';
create index evtkit_failed_events_ended on evtkit_failed_events (ended_at) where ended_at is not null;

create table evtkit_dead_letter_edits (
  id bigint generated always as identity primary key,
  failed_event bigint not null references evtkit_failed_events (id) on delete cascade,
  operation bigint not null,
  old_event_id text,
  new_event_id text not null,
  old_value bytea,
  old_headers bytea not null,
  edited_at timestamptz not null default now()
);
create index evtkit_dead_letter_edits_event on evtkit_dead_letter_edits (failed_event);

create table evtkit_dead_letter_operations (
  id bigint generated always as identity primary key,
  consumer_group text not null,
  operation text not null,
  done_by text not null,
  reason text not null,
  done_at timestamptz not null default now(),
  filter jsonb not null,
  failed_events bigint[] not null
);
create index evtkit_dead_letter_operations_group on evtkit_dead_letter_operations (consumer_group, id);

create table evtkit_parking_groups (
  consumer_group text primary key,
  seen_at timestamptz not null
);
`,
  },
])
