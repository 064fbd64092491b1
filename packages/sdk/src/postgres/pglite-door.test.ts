import { expect, test, vi } from 'vitest'

vi.mock('pg', () => {
  throw new Error('pg was imported')
})

test('the embedded database and what works on it need no pg', async () => {
  const doors = await Promise.all([
    import('./pglite.ts'),
    import('../outbox/index.ts'),
    import('../inbox/index.ts'),
    import('../dead-letters/index.ts'),
  ])
  expect(Object.keys(doors[0]).sort()).toEqual([
    'checkMigrated',
    'createPglite',
    'defineMigrations',
    'migrate',
    'migrationStatus',
  ])
  await expect(import('./index.ts')).rejects.toThrow()
})
