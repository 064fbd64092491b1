import { defineMigrations } from '../postgres/migrations.ts'

/** The table of rejected records, for {@link migrate}: `evtkit_rejected`, one row per group,
 * place in the log and content: a topic made anew has other records at the same places. */
export const rejectedMigrations = defineMigrations('evtkit-rejected', [
  {
    id: '001-table',
    sql: `
create table evtkit_rejected (
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  record_offset bigint not null,
  content_hash bytea not null,
  key bytea,
  value bytea,
  headers bytea not null,
  timestamp_ms bigint,
  error_code text not null,
  error_message text not null,
  first_seen timestamptz not null default now(),
  last_seen timestamptz not null default now(),
  times_seen integer not null default 1,
  primary key (consumer_group, topic, partition, record_offset, content_hash)
);
create index evtkit_rejected_last_seen on evtkit_rejected (last_seen);
`,
  },
])
