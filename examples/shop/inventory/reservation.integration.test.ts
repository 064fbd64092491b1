import { randomUUID } from 'node:crypto'
import { createPostgres, migrate, type Sql } from '@evtkit/sdk/postgres'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { migrations } from './migrations.ts'
import { releaseStock, reserveStock } from './reservation.ts'
import { readStock } from './stock.ts'

const name = `reservations_${randomUUID().slice(0, 8)}`
let sql: Sql

const execute = async (statement: string) => {
  const client = new pg.Client({ connectionString: inject('databaseUrl') })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}

beforeAll(async () => {
  await execute(`create database ${name}`)
  const url = new URL(inject('databaseUrl'))
  url.pathname = `/${name}`
  sql = createPostgres({ connectionString: url.href, maxConnections: 20 })
  await migrate(sql, [migrations])
})

beforeEach(async () => {
  await sql.query('truncate stock, reservations')
  await sql.query(`insert into stock (sku, on_hand) values ('mug', 3), ('lamp', 1000)`)
})

afterAll(async () => {
  await sql?.close()
  await execute(`drop database if exists ${name} with (force)`)
})

const stockOf = async (sku: string) => (await readStock(sql)).find((level) => level.sku === sku)?.reserved
const mug = (quantity: number) => [{ sku: 'mug', quantity }]

test('twenty orders at once for three pieces reserve exactly three', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, i) => sql.transaction((tx) => reserveStock(tx, `o-${i}`, mug(1)))),
  )
  expect(outcomes.filter((outcome) => outcome.state === 'reserved')).toHaveLength(3)
  expect(outcomes.filter((outcome) => outcome.state === 'refused')).toHaveLength(17)
  expect(await stockOf('mug')).toBe(3)
})

test('orders that share one transaction do not reserve the same piece', async () => {
  const states = await sql.transaction((tx) =>
    Promise.all([1, 2, 3, 4, 5].map(async (i) => (await reserveStock(tx, `o-${i}`, mug(1))).state)),
  )
  expect(states.filter((state) => state === 'reserved')).toHaveLength(3)
  expect(await stockOf('mug')).toBe(3)
})

test('an order is reserved whole or not at all, and told what is missing', async () => {
  const lines = [
    { sku: 'lamp', quantity: 2 },
    { sku: 'mug', quantity: 4 },
  ]
  const outcome = await sql.transaction((tx) => reserveStock(tx, 'o-1', lines))
  expect(outcome).toEqual({ state: 'refused', missing: [{ sku: 'mug', quantity: 4 }] })
  expect(await stockOf('lamp')).toBe(0)
})

test('orders that name the same products in opposite order never wait for each other in a circle', async () => {
  const there = [
    { sku: 'lamp', quantity: 1 },
    { sku: 'mug', quantity: 1 },
  ]
  const back = there.toReversed()
  await sql.query('update stock set on_hand = 1000')
  const work = Array.from({ length: 60 }, (_, i) =>
    sql.transaction(async (tx) => {
      await reserveStock(tx, `o-${i}`, i % 2 === 0 ? there : back)
      if (i % 3 === 0) await releaseStock(tx, `o-${i}`)
    }),
  )
  await Promise.all(work)
  expect([await stockOf('mug'), await stockOf('lamp')]).toEqual([40, 40])
})

test('an order that was decided on is not decided again', async () => {
  const decide = () => sql.transaction((tx) => reserveStock(tx, 'o-1', mug(2)))
  expect((await decide()).state).toBe('reserved')
  expect((await decide()).state).toBe('decided')
  expect(await stockOf('mug')).toBe(2)
})

test('stock is given back once', async () => {
  await sql.transaction((tx) => reserveStock(tx, 'o-1', mug(2)))
  const release = () => sql.transaction((tx) => releaseStock(tx, 'o-1'))
  expect(await release()).toEqual(mug(2))
  expect(await release()).toBeNull()
  expect(await stockOf('mug')).toBe(0)
})

test('an order that was refused has nothing to give back', async () => {
  await sql.transaction((tx) => reserveStock(tx, 'o-1', mug(4)))
  expect(await sql.transaction((tx) => releaseStock(tx, 'o-1'))).toBeNull()
})
