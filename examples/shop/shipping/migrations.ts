import { defineMigrations } from '@evtkit/sdk/postgres'

export const migrations = defineMigrations('shipping', [
  {
    id: '001-shipments',
    sql: `
      create table shipments (
        order_id text primary key,
        carrier text not null,
        tracking_number text not null unique,
        recipient jsonb not null
      );`,
  },
])
