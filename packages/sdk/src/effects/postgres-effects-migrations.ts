import { defineMigrations } from '../postgres/migrations.ts'

/** The table of results, for {@link migrate}: `evtkit_effects`, one row per idempotency key. */
export const effectsMigrations = defineMigrations('evtkit-effects', [
  {
    id: '001-table',
    // json and not jsonb: it gives back what it was given, to the character, a NUL in a text included.
    sql: `
create table evtkit_effects (
  idempotency_key uuid primary key,
  consumer_group text not null,
  handler text not null,
  event_id text not null,
  result json not null,
  recorded_at timestamptz not null default now()
);
create index evtkit_effects_recorded_at on evtkit_effects using brin (recorded_at);
`,
  },
])
