/** Schemas by id, and what they refer to. */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { fieldsOf, type RegistryCase, type RegistryUnderTest, recordName } from './registry-harness.ts'

const text = { name: 'a', type: 'string' }

export const registrySchemaCases: readonly RegistryCase[] = [
  {
    name: 'a schema is found by its id',
    async run(registry) {
      const id = await registry.register(registry.subject(), registry.record([text]))
      const found = fieldsOf(await registry.get('GET', `/schemas/ids/${id}`))
      equal(recordName(found.schema), `${registry.namespace}.Fact`)
    },
  },
  {
    name: 'an id that was never given out is 40403',
    run: (registry) => registry.refused(404, 40403, 'GET', '/schemas/ids/2147483647'),
  },
  {
    name: 'an id tells the subjects and versions that have it',
    async run(registry) {
      const schema = registry.record([text])
      const subjects = [registry.subject('a'), registry.subject('b')]
      const id = await registry.register(registry.subject('a'), schema)
      await registry.register(registry.subject('b'), schema)
      const versions = await registry.get('GET', `/schemas/ids/${id}/versions`)
      ok(Array.isArray(versions))
      deepEqual(
        versions.map((found) => [fieldsOf(found).subject, fieldsOf(found).version]).sort(),
        subjects.map((subject) => [subject, 1]),
      )
    },
  },
  {
    name: 'a schema is found by the GUID that its version tells',
    departs: ['no-guids'],
    async run(registry) {
      const subject = registry.subject()
      const id = await registry.register(subject, registry.record([text]))
      const { guid } = fieldsOf(await registry.get('GET', `/subjects/${subject}/versions/1`))
      if (registry.has('no-guids')) {
        equal(guid, undefined)
        equal((await registry.ask('GET', '/schemas/guids/00000000-0000-0000-0000-000000000000')).status, 404)
        return
      }
      const found = fieldsOf(await registry.get('GET', `/schemas/guids/${guid}`))
      equal(recordName(found.schema), `${registry.namespace}.Fact`)
      const ids = await registry.get('GET', `/schemas/guids/${guid}/ids`)
      deepEqual(Array.isArray(ids) && ids.map((one) => fieldsOf(one).id), [id])
      await registry.refused(404, 40403, 'GET', '/schemas/guids/00000000-0000-0000-0000-000000000000')
    },
  },
  {
    name: 'a schema may use a type of another subject by name',
    async run(registry) {
      const { id, references } = await registerReferring(registry)
      const found = fieldsOf(await registry.get('GET', `/schemas/ids/${id}`))
      deepEqual(found.references, references)
      const version = fieldsOf(await registry.get('GET', `/subjects/${registry.subject('whole')}/versions/1`))
      deepEqual(version.references, references)
    },
  },
  {
    name: 'a schema that refers to others is found by subject, and is the same when registered again',
    async run(registry) {
      const { id, schema, references } = await registerReferring(registry)
      const found = fieldsOf(
        await registry.get('POST', `/subjects/${registry.subject('whole')}`, { schema, references }),
      )
      deepEqual([found.id, found.version], [id, 1])
      equal(await registry.register(registry.subject('whole'), schema, { references }), id)
    },
  },
  {
    name: 'a reference to what is not there is 42201',
    async run(registry) {
      const { schema } = referring(registry)
      const references = [{ name: `${registry.namespace}.Part`, subject: registry.subject('nowhere'), version: 1 }]
      await registry.refused(422, 42201, 'POST', `/subjects/${registry.subject()}/versions`, { schema, references })
    },
  },
  {
    name: 'a name without a reference is 42201',
    async run(registry) {
      await registerReferring(registry)
      const { schema } = referring(registry)
      await registry.refused(422, 42201, 'POST', `/subjects/${registry.subject('bare')}/versions`, { schema })
    },
  },
  {
    name: 'a version tells which schemas refer to it',
    async run(registry) {
      const { id } = await registerReferring(registry)
      deepEqual(await registry.get('GET', `/subjects/${registry.subject('part')}/versions/1/referencedby`), [id])
      deepEqual(await registry.get('GET', `/subjects/${registry.subject('whole')}/versions/1/referencedby`), [])
    },
  },
  {
    name: 'what others refer to cannot be deleted: 42206',
    async run(registry) {
      await registerReferring(registry)
      await registry.refused(422, 42206, 'DELETE', `/subjects/${registry.subject('part')}/versions/1`)
      await registry.refused(422, 42206, 'DELETE', `/subjects/${registry.subject('part')}`)
    },
  },
]

function referring(registry: RegistryUnderTest) {
  const name = `${registry.namespace}.Part`
  return {
    schema: registry.record([{ name: 'part', type: name }], 'Whole'),
    references: [{ name, subject: registry.subject('part'), version: 1 }],
  }
}

async function registerReferring(registry: RegistryUnderTest) {
  await registry.register(registry.subject('part'), registry.record([text], 'Part'))
  const { schema, references } = referring(registry)
  return { id: await registry.register(registry.subject('whole'), schema, { references }), schema, references }
}
