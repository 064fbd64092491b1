import { defineMigrations } from '@evtkit/sdk/postgres'

export const migrations = defineMigrations('inventory', [
  {
    id: '001-stock',
    sql: `
      create table stock (
        sku text primary key,
        on_hand integer not null check (on_hand >= 0),
        reserved integer not null default 0 check (reserved between 0 and on_hand)
      );
      create table reservations (
        order_id text primary key,
        state text not null check (state in ('reserved', 'refused', 'released')),
        lines jsonb not null
      );
      insert into stock (sku, on_hand) values
        ('mug', 1000000), ('notebook', 1000000), ('teapot', 1000000), ('lamp', 1000000), ('poster', 1000000),
        ('signed-print', 3), ('first-edition', 0);`,
  },
])
