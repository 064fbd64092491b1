import { expect, test } from 'vitest'
import { createPostgres } from './index.ts'

test.each(['', 'localhost:5432/orders', 'mysql://me:topsecret@db/orders', 'host=db password=topsecret'])(
  'a connection string that is no PostgreSQL URL is refused without repeating it: %s',
  (connectionString) => {
    const create = () => createPostgres({ connectionString })
    expect(create).toThrow(expect.objectContaining({ code: 'EVT_INVALID_CONFIGURATION' }))
    expect(create).toThrow(/must begin with postgres:\/\/ or postgresql:\/\//)
    expect(create).not.toThrow(/topsecret/)
  },
)

test('options may be there and undefined, as values read from the environment are', async () => {
  const connectionString: string | undefined = undefined
  await createPostgres({ connectionString, maxConnections: undefined }).close()
})
