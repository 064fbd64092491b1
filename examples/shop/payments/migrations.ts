import { defineMigrations } from '@evtkit/sdk/postgres'

export const migrations = defineMigrations('payments', [
  {
    id: '001-payments',
    sql: `
      create table payments (
        order_id text primary key,
        charge_id text not null unique,
        status text not null check (status in ('pending', 'succeeded', 'declined')),
        amount bigint not null,
        currency text not null,
        reason text,
        -- The event that asked for the payment, kept until there is an answer that follows from it.
        cause jsonb
      );
      create index payments_pending on payments (order_id) where status = 'pending';
      create table provider_callbacks (
        callback_id text primary key,
        charge_id text not null,
        received_at timestamptz not null default now()
      );`,
  },
])
