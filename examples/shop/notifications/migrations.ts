import { defineMigrations } from '@evtkit/sdk/postgres'

export const migrations = defineMigrations('notifications', [
  {
    id: '001-notifications',
    sql: `
      create table notifications (
        message_id text primary key,
        order_id text not null,
        template text not null,
        email text not null,
        sent_at timestamptz not null default now()
      );`,
  },
])
