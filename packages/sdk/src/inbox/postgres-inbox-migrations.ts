import { defineMigrations } from '../postgres/migrations.ts'

/** The table of the inbox, for {@link migrate}: `evtkit_inbox`, one row per group, handler and event that was handled. */
export const inboxMigrations = defineMigrations('evtkit-inbox', [
  {
    id: '001-table',
    // The event id leads: version 7 ids grow with time, so inserts touch the right edge of the index only. The block range
    // index is tiny and enough for pruning, since rows lie in the order in which they were handled.
    sql: `
create table evtkit_inbox (
  event_id uuid not null,
  consumer_group text not null,
  handler text not null,
  handled_at timestamptz not null default now(),
  primary key (event_id, consumer_group, handler)
);
create index evtkit_inbox_handled_at on evtkit_inbox using brin (handled_at);
`,
  },
])
