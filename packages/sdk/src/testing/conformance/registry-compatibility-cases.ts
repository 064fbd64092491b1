/** What may follow what, and what is set about it. */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { fieldsOf, type RegistryCase, type RegistryUnderTest } from './registry-harness.ts'

const a = { name: 'a', type: 'string' }
const b = { name: 'b', type: 'string' }
const optionalA = { name: 'a', type: 'string', default: '' }
const optionalB = { name: 'b', type: 'string', default: '' }

export const registryCompatibilityCases: readonly RegistryCase[] = [
  {
    name: 'BACKWARD is in force where nothing was set',
    async run(registry) {
      deepEqual(await registry.get('GET', '/config'), { compatibilityLevel: 'BACKWARD' })
    },
  },
  {
    name: 'what is set for all is set by "compatibility" and told as "compatibilityLevel"',
    async run(registry) {
      // The level that is there already: others may be using the registry.
      equal(fieldsOf(await registry.get('PUT', '/config', { compatibility: 'BACKWARD' })).compatibility, 'BACKWARD')
      equal(fieldsOf(await registry.get('GET', '/config')).compatibilityLevel, 'BACKWARD')
    },
  },
  {
    name: 'a level of its own may be set for a subject before the subject is there',
    async run(registry) {
      const path = `/config/${registry.subject()}`
      equal(fieldsOf(await registry.get('PUT', path, { compatibility: 'FULL' })).compatibility, 'FULL')
      deepEqual(await registry.get('GET', path), { compatibilityLevel: 'FULL' })
    },
  },
  {
    name: 'asking for the level of a subject that has none of its own is 40408',
    departs: ['missing-level-is-40401'],
    async run(registry) {
      const path = `/config/${registry.subject()}`
      await registry.refused(404, registry.has('missing-level-is-40401') ? 40401 : 40408, 'GET', path)
    },
  },
  {
    name: 'defaultToGlobal answers with the level in force',
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([a]))
      const path = `/config/${subject}?defaultToGlobal=true`
      deepEqual(await registry.get('GET', path), { compatibilityLevel: 'BACKWARD' })
    },
  },
  {
    name: 'a subject whose own level was removed follows the one for all again',
    departs: ['removed-level-is-none'],
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([a]))
      await registry.get('PUT', `/config/${subject}`, { compatibility: 'NONE' })
      equal((await registry.ask('DELETE', `/config/${subject}`)).status, 200)
      const schema = registry.record([a, b])
      if (registry.has('removed-level-is-none')) {
        deepEqual(await registry.get('GET', `/config/${subject}?defaultToGlobal=true`), { compatibilityLevel: 'NONE' })
        await registry.register(subject, schema)
        return
      }
      await registry.refused(404, 40408, 'GET', `/config/${subject}`)
      deepEqual(await registry.get('GET', `/config/${subject}?defaultToGlobal=true`), {
        compatibilityLevel: 'BACKWARD',
      })
      await registry.refused(409, 409, 'POST', `/subjects/${subject}/versions`, { schema })
    },
  },
  {
    name: 'a level that does not exist is 42203',
    async run(registry) {
      await registry.refused(422, 42203, 'PUT', `/config/${registry.subject()}`, { compatibility: 'SIDEWAYS' })
      await registry.refused(422, 42203, 'PUT', '/config', { compatibility: 'SIDEWAYS' })
    },
  },
  {
    name: 'an incompatible schema is 409, says why, and registers nothing',
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([a]))
      const answer = await registry.ask('POST', `/subjects/${subject}/versions`, { schema: registry.record([a, b]) })
      const { error_code, message } = fieldsOf(answer.body)
      deepEqual([answer.status, error_code], [409, 409])
      match(String(message), /incompatib/i)
      deepEqual(await registry.get('GET', `/subjects/${subject}/versions`), [1])
    },
  },
  {
    name: 'NONE takes anything',
    async run(registry) {
      const subject = registry.subject()
      await registry.get('PUT', `/config/${subject}`, { compatibility: 'NONE' })
      await registry.register(subject, registry.record([a]))
      await registry.register(subject, registry.record([{ ...a, type: 'int' }]))
      deepEqual(await registry.get('GET', `/subjects/${subject}/versions`), [1, 2])
    },
  },
  {
    name: 'BACKWARD: a field may go, and may come with a default only',
    run: (registry) =>
      verdicts(
        registry,
        'BACKWARD',
        [a, optionalB],
        [
          [[a], true],
          [[a, optionalB, { name: 'c', type: 'int', default: 0 }], true],
          [[a, optionalB, { name: 'c', type: 'int' }], false],
        ],
      ),
  },
  {
    name: 'FORWARD: a field may come, and may go when it has a default only',
    run: (registry) =>
      verdicts(
        registry,
        'FORWARD',
        [a, optionalB],
        [
          [[a, optionalB, { name: 'c', type: 'int' }], true],
          [[a], true],
          [[optionalB], false],
        ],
      ),
  },
  {
    name: 'FULL: fields may come and go with defaults only',
    run: (registry) =>
      verdicts(
        registry,
        'FULL',
        [a, optionalB],
        [
          [[a], true],
          [[a, optionalB, { name: 'c', type: 'int', default: 0 }], true],
          [[a, optionalB, { name: 'c', type: 'int' }], false],
          [[optionalB], false],
        ],
      ),
  },
  {
    name: 'BACKWARD looks at the last version, BACKWARD_TRANSITIVE at all of them',
    run: (registry) => transitive(registry, 'BACKWARD', [[a], [optionalA, optionalB]], [b, optionalA]),
  },
  {
    name: 'FORWARD looks at the last version, FORWARD_TRANSITIVE at all of them',
    run: (registry) => transitive(registry, 'FORWARD', [[b], [optionalB]], []),
  },
  {
    name: 'FULL looks at the last version, FULL_TRANSITIVE at all of them',
    run: (registry) => transitive(registry, 'FULL', [[a], [optionalA]], []),
  },
  {
    name: 'a numeric type may be widened, and not narrowed',
    async run(registry) {
      await verdicts(
        registry,
        'BACKWARD',
        [{ name: 'n', type: 'int' }],
        [
          [[{ name: 'n', type: 'long' }], true],
          [[{ name: 'n', type: 'double' }], true],
          [[{ name: 'n', type: 'string' }], false],
        ],
      )
    },
  },
  {
    name: 'verbose says where and why a schema does not fit',
    departs: ['no-verbose-messages'],
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([a]))
      const verdict = fieldsOf(
        await registry.get('POST', `/compatibility/subjects/${subject}/versions/latest?verbose=true`, {
          schema: registry.record([a, { name: 'newcomer', type: 'int' }]),
        }),
      )
      equal(verdict.is_compatible, false)
      if (registry.has('no-verbose-messages')) return deepEqual(verdict.messages ?? [], [])
      ok(Array.isArray(verdict.messages) && verdict.messages.length > 0)
      match(verdict.messages.join(' '), /newcomer/)
    },
  },
  {
    name: 'checking one version and checking all that the level looks at are two questions',
    departs: ['check-of-all-is-transitive'],
    async run(registry) {
      const subject = registry.subject()
      await registry.get('PUT', `/config/${subject}`, { compatibility: 'NONE' })
      await registry.register(subject, registry.record([a]))
      await registry.register(subject, registry.record([b]))
      await registry.get('PUT', `/config/${subject}`, { compatibility: 'BACKWARD' })
      const schema = registry.record([b])
      const at = (version: string) =>
        registry.get('POST', `/compatibility/subjects/${subject}/versions${version}`, { schema })
      equal(fieldsOf(await at('/latest')).is_compatible, true)
      equal(fieldsOf(await at('/2')).is_compatible, true)
      equal(fieldsOf(await at('/1')).is_compatible, false)
      equal(fieldsOf(await at('')).is_compatible, !registry.has('check-of-all-is-transitive'))
    },
  },
  {
    name: 'checking registers nothing',
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([a]))
      const schema = registry.record([a, optionalB])
      await registry.get('POST', `/compatibility/subjects/${subject}/versions/latest`, { schema })
      deepEqual(await registry.get('GET', `/subjects/${subject}/versions`), [1])
    },
  },
  {
    name: 'checking against a version that is not there is 40402',
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([a]))
      await registry.refused(404, 40402, 'POST', `/compatibility/subjects/${subject}/versions/7`, {
        schema: registry.record([a]),
      })
    },
  },
  {
    name: 'checking text that is no schema is 42201',
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([a]))
      await registry.refused(422, 42201, 'POST', `/compatibility/subjects/${subject}/versions/latest`, {
        schema: '{"type":"record"}',
      })
    },
  },
]

/** What the level says about each of some schemas that follow one. */
async function verdicts(
  registry: RegistryUnderTest,
  level: string,
  before: readonly object[],
  after: readonly (readonly [fields: readonly object[], compatible: boolean])[],
): Promise<void> {
  const subject = registry.subject()
  await registry.register(subject, registry.record(before))
  await registry.get('PUT', `/config/${subject}`, { compatibility: level })
  for (const [fields, compatible] of after) {
    const path = `/compatibility/subjects/${subject}/versions/latest`
    const verdict = fieldsOf(await registry.get('POST', path, { schema: registry.record(fields) }))
    equal(verdict.is_compatible, compatible, `${level}: ${JSON.stringify(before)} → ${JSON.stringify(fields)}`)
  }
}

/** That a schema fits the last of two versions and not the first, so that only the transitive form of a level refuses it. */
async function transitive(
  registry: RegistryUnderTest,
  level: string,
  versions: readonly (readonly object[])[],
  next: readonly object[],
): Promise<void> {
  const subject = registry.subject()
  await registry.get('PUT', `/config/${subject}`, { compatibility: 'NONE' })
  for (const fields of versions) await registry.register(subject, registry.record(fields))
  const schema = registry.record(next)
  await registry.get('PUT', `/config/${subject}`, { compatibility: `${level}_TRANSITIVE` })
  await registry.refused(409, 409, 'POST', `/subjects/${subject}/versions`, { schema })
  await registry.get('PUT', `/config/${subject}`, { compatibility: level })
  await registry.register(subject, schema)
}
