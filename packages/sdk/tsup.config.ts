import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    'memory/index': 'src/memory/index.ts',
    'kafka/index': 'src/kafka/index.ts',
    'postgres/index': 'src/postgres/index.ts',
    'postgres/pglite': 'src/postgres/pglite.ts',
    'outbox/index': 'src/outbox/index.ts',
    'inbox/index': 'src/inbox/index.ts',
    'effects/index': 'src/effects/index.ts',
    'dead-letters/index': 'src/dead-letters/index.ts',
    'avro/index': 'src/avro/index.ts',
    'registry/index': 'src/registry/index.ts',
    'registry/server/index': 'src/registry/server/index.ts',
    'contracts/index': 'src/contracts/index.ts',
    'topics/index': 'src/topics/index.ts',
    'cloudevents/index': 'src/cloudevents/index.ts',
    'testing/index': 'src/testing/index.ts',
  },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  dts: { compilerOptions: { customConditions: [] } },
  sourcemap: true,
  clean: true,
  splitting: true,
})
