/** Registering schemas and finding them again. */
import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { fieldsOf, type RegistryCase, recordName } from './registry-harness.ts'

const text = { name: 'a', type: 'string' }
const optional = { name: 'b', type: ['null', 'string'], default: null }

export const registrySubjectCases: readonly RegistryCase[] = [
  {
    name: 'a schema that is registered is the first version of its subject',
    async run(registry) {
      const subject = registry.subject()
      const schema = registry.record([text])
      const id = await registry.register(subject, schema)
      ok(id > 0)
      const version = fieldsOf(await registry.get('GET', `/subjects/${subject}/versions/1`))
      deepEqual([version.subject, version.version, version.id], [subject, 1, id])
      equal(recordName(version.schema), `${registry.namespace}.Fact`)
    },
  },
  {
    name: 'answers are JSON of the type that clients ask for',
    async run(registry) {
      match((await registry.ask('GET', '/subjects')).contentType, /^application\/(vnd\.schemaregistry\.v1\+)?json/)
      match((await registry.ask('GET', '/schemas/ids/2147483647')).contentType, /json/)
    },
  },
  {
    name: 'Avro is among the types of schemas',
    async run(registry) {
      const types = await registry.get('GET', '/schemas/types')
      ok(Array.isArray(types) && types.includes('AVRO'))
    },
  },
  {
    name: 'registering the same schema again changes nothing and answers with the same id',
    async run(registry) {
      const subject = registry.subject()
      const id = await registry.register(subject, registry.record([text]))
      equal(await registry.register(subject, registry.record([text])), id)
      deepEqual(await registry.get('GET', `/subjects/${subject}/versions`), [1])
    },
  },
  {
    name: 'white space does not make another schema',
    async run(registry) {
      const subject = registry.subject()
      const schema = registry.record([text])
      const id = await registry.register(subject, schema)
      equal(await registry.register(subject, JSON.stringify(JSON.parse(schema), null, 2)), id)
      deepEqual(await registry.get('GET', `/subjects/${subject}/versions`), [1])
    },
  },
  {
    name: 'a compatible schema becomes the next version, with an id of its own',
    async run(registry) {
      const subject = registry.subject()
      const first = await registry.register(subject, registry.record([text]))
      const second = await registry.register(subject, registry.record([text, optional]))
      notEqual(first, second)
      deepEqual(await registry.get('GET', `/subjects/${subject}/versions`), [1, 2])
    },
  },
  {
    name: 'the same schema has the same id in every subject',
    async run(registry) {
      const schema = registry.record([text])
      const id = await registry.register(registry.subject('one'), schema)
      equal(await registry.register(registry.subject('two'), schema), id)
    },
  },
  {
    name: 'many who register the same schema at the same time get one id and one version',
    async run(registry) {
      const subject = registry.subject()
      const schema = registry.record([text])
      const ids = await Promise.all(Array.from({ length: 8 }, () => registry.register(subject, schema)))
      equal(new Set(ids).size, 1)
      deepEqual(await registry.get('GET', `/subjects/${subject}/versions`), [1])
    },
  },
  {
    name: 'many who register different schemas at the same time get different ids',
    async run(registry) {
      const ids = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          registry.register(registry.subject(`of-${i}`), registry.record([text], `Fact${i}`)),
        ),
      )
      equal(new Set(ids).size, ids.length)
    },
  },
  {
    name: 'latest and -1 are the last version',
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([text]))
      const id = await registry.register(subject, registry.record([text, optional]))
      for (const name of ['latest', '-1']) {
        const version = fieldsOf(await registry.get('GET', `/subjects/${subject}/versions/${name}`))
        deepEqual([version.version, version.id], [2, id])
      }
    },
  },
  {
    name: 'a version can be had as the bare schema',
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([text]))
      const bare = await registry.get('GET', `/subjects/${subject}/versions/1/schema`)
      equal(recordName(bare), `${registry.namespace}.Fact`)
    },
  },
  {
    name: 'a subject that is not there is 40401',
    async run(registry) {
      const subject = registry.subject()
      await registry.refused(404, 40401, 'GET', `/subjects/${subject}/versions`)
      await registry.refused(404, 40401, 'GET', `/subjects/${subject}/versions/latest`)
      await registry.refused(404, 40401, 'POST', `/subjects/${subject}`, { schema: registry.record([text]) })
    },
  },
  {
    name: 'a version that is not there is 40402',
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([text]))
      await registry.refused(404, 40402, 'GET', `/subjects/${subject}/versions/2`)
    },
  },
  {
    name: 'a version that cannot be one is 42202',
    departs: ['invalid-version-is-40402'],
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([text]))
      for (const name of ['0', 'first']) {
        const path = `/subjects/${subject}/versions/${name}`
        if (registry.has('invalid-version-is-40402')) await registry.refused(404, 40402, 'GET', path)
        else await registry.refused(422, 42202, 'GET', path)
      }
    },
  },
  {
    name: 'text that is no Avro schema is 42201, and registers nothing',
    async run(registry) {
      const subject = registry.subject()
      for (const schema of ['{"type":"record"}', 'not JSON', '"nosuchtype"'])
        await registry.refused(422, 42201, 'POST', `/subjects/${subject}/versions`, { schema })
      await registry.refused(404, 40401, 'GET', `/subjects/${subject}/versions`)
    },
  },
  {
    name: 'a subject is asked whether it has a schema, and says as which version',
    async run(registry) {
      const subject = registry.subject()
      const schema = registry.record([text])
      const id = await registry.register(subject, schema)
      await registry.register(subject, registry.record([text, optional]))
      const found = fieldsOf(await registry.get('POST', `/subjects/${subject}`, { schema }))
      deepEqual([found.subject, found.version, found.id], [subject, 1, id])
    },
  },
  {
    name: 'a schema that the subject does not have is 40403, though another subject has it',
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([text]))
      await registry.register(registry.subject('other'), registry.record([optional]))
      await registry.refused(404, 40403, 'POST', `/subjects/${subject}`, { schema: registry.record([optional]) })
    },
  },
  {
    name: 'subjects are listed, all or by prefix',
    departs: ['prefix-ignored'],
    async run(registry) {
      const names = [registry.subject('a'), registry.subject('b')]
      await registry.register(registry.prefix.slice(0, -1), registry.record([text]))
      for (const name of names) await registry.register(name, registry.record([text]))
      const all = await registry.get('GET', '/subjects')
      ok(Array.isArray(all) && names.every((name) => all.includes(name)))
      const some = await registry.get('GET', `/subjects?subjectPrefix=${registry.prefix}`)
      ok(Array.isArray(some))
      if (registry.has('prefix-ignored')) ok(some.length > names.length)
      else deepEqual([...some].sort(), names)
    },
  },
  {
    name: 'a subject may have a name with a slash, a space and a percent sign',
    async run(registry) {
      const subject = `${registry.subject()}/a b%`
      const path = encodeURIComponent(subject)
      const id = await registry.register(path, registry.record([text]))
      const found = fieldsOf(await registry.get('GET', `/subjects/${path}/versions/1`))
      deepEqual([found.subject, found.id], [subject, id])
    },
  },
]
