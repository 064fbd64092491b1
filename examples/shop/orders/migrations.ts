import { defineMigrations } from '@evtkit/sdk/postgres'

export const migrations = defineMigrations('orders', [
  {
    id: '001-orders',
    sql: `
      create table orders (
        order_id uuid primary key,
        customer_id text not null,
        correlation_id text not null,
        status text not null check (status in ('placed', 'reserved', 'confirmed', 'shipped', 'cancelled')),
        cancel_reason text,
        tracking_number text,
        lines jsonb not null,
        amount bigint not null,
        currency text not null,
        recipient jsonb not null,
        -- Raised by every change: whoever decides on an older one decides again.
        version integer not null default 1
      );
      create table order_history (
        order_id uuid not null,
        event_id uuid not null,
        event_type text not null,
        source text not null,
        occurred_at timestamptz not null,
        primary key (order_id, event_id)
      );
      create table order_keys (
        customer_id text not null,
        idempotency_key text not null,
        fingerprint text not null,
        order_id uuid not null,
        primary key (customer_id, idempotency_key)
      );`,
  },
])
