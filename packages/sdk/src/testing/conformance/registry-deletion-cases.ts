/** Hiding, removing, and what a mode forbids. */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { fieldsOf, type RegistryCase } from './registry-harness.ts'

const text = { name: 'a', type: 'string' }
const optional = { name: 'b', type: 'string', default: '' }

export const registryDeletionCases: readonly RegistryCase[] = [
  {
    name: 'a deleted version is hidden from its subject and still found by id',
    async run(registry) {
      const subject = registry.subject()
      const id = await registry.register(subject, registry.record([text]))
      await registry.register(subject, registry.record([text, optional]))
      equal(await registry.get('DELETE', `/subjects/${subject}/versions/1`), 1)
      deepEqual(await registry.get('GET', `/subjects/${subject}/versions`), [2])
      await registry.refused(404, 40402, 'GET', `/subjects/${subject}/versions/1`)
      await registry.get('GET', `/schemas/ids/${id}`)
    },
  },
  {
    name: 'deleted=true shows what is hidden',
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([text]))
      await registry.register(subject, registry.record([text, optional]))
      await registry.get('DELETE', `/subjects/${subject}/versions/1`)
      deepEqual(await registry.get('GET', `/subjects/${subject}/versions?deleted=true`), [1, 2])
      equal(fieldsOf(await registry.get('GET', `/subjects/${subject}/versions/1?deleted=true`)).version, 1)
    },
  },
  {
    name: 'a deleted subject is hidden with all its versions',
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([text]))
      await registry.register(subject, registry.record([text, optional]))
      deepEqual(await registry.get('DELETE', `/subjects/${subject}`), [1, 2])
      await registry.refused(404, 40401, 'GET', `/subjects/${subject}/versions`)
      const visible = await registry.get('GET', '/subjects')
      ok(Array.isArray(visible) && !visible.includes(subject))
      const all = await registry.get('GET', '/subjects?deleted=true')
      ok(Array.isArray(all) && all.includes(subject))
    },
  },
  {
    name: 'deleting what is not there is 40401 and 40402',
    async run(registry) {
      const subject = registry.subject()
      await registry.refused(404, 40401, 'DELETE', `/subjects/${subject}`)
      await registry.refused(404, 40401, 'DELETE', `/subjects/${subject}/versions/1`)
      await registry.register(subject, registry.record([text]))
      await registry.refused(404, 40402, 'DELETE', `/subjects/${subject}/versions/2`)
    },
  },
  {
    name: 'deleting a deleted subject again is 40404',
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([text]))
      await registry.get('DELETE', `/subjects/${subject}`)
      await registry.refused(404, 40404, 'DELETE', `/subjects/${subject}`)
    },
  },
  {
    name: 'a subject is removed for good only when it was deleted before: 40405',
    departs: ['hard-before-soft-is-409'],
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([text]))
      const status = registry.has('hard-before-soft-is-409') ? 409 : 404
      await registry.refused(status, 40405, 'DELETE', `/subjects/${subject}?permanent=true`)
    },
  },
  {
    name: 'deleting a deleted version again is 40406',
    departs: ['deleted-twice-is-409'],
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([text]))
      await registry.register(subject, registry.record([text, optional]))
      await registry.get('DELETE', `/subjects/${subject}/versions/1`)
      const status = registry.has('deleted-twice-is-409') ? 409 : 404
      await registry.refused(status, 40406, 'DELETE', `/subjects/${subject}/versions/1`)
    },
  },
  {
    name: 'a version is removed for good only when it was deleted before: 40407',
    departs: ['hard-before-soft-is-409'],
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([text]))
      const status = registry.has('hard-before-soft-is-409') ? 409 : 404
      await registry.refused(status, 40407, 'DELETE', `/subjects/${subject}/versions/1?permanent=true`)
    },
  },
  {
    name: 'what is removed for good is gone by id too, when no other subject has it',
    departs: ['removed-stays-by-id'],
    async run(registry) {
      const [subject, other] = [registry.subject(), registry.subject('other')]
      const id = await registry.register(subject, registry.record([text]))
      await registry.register(other, registry.record([text]))
      await registry.get('DELETE', `/subjects/${subject}`)
      deepEqual(await registry.get('DELETE', `/subjects/${subject}?permanent=true`), [1])
      await registry.get('GET', `/schemas/ids/${id}`)
      await registry.get('DELETE', `/subjects/${other}`)
      await registry.get('DELETE', `/subjects/${other}?permanent=true`)
      if (registry.has('removed-stays-by-id')) await registry.get('GET', `/schemas/ids/${id}`)
      else await registry.refused(404, 40403, 'GET', `/schemas/ids/${id}`)
    },
  },
  {
    name: 'an id is never given out twice, also when its schema was removed for good',
    async run(registry) {
      const [subject, next] = [registry.subject(), registry.subject('next')]
      const id = await registry.register(subject, registry.record([text]))
      await registry.get('DELETE', `/subjects/${subject}`)
      await registry.get('DELETE', `/subjects/${subject}?permanent=true`)
      ok((await registry.register(next, registry.record([text], 'Next'))) !== id)
    },
  },
  {
    name: 'a deleted schema that is registered again has its old id and the next version',
    async run(registry) {
      const subject = registry.subject()
      const id = await registry.register(subject, registry.record([text]))
      await registry.get('DELETE', `/subjects/${subject}`)
      equal(await registry.register(subject, registry.record([text])), id)
      deepEqual(await registry.get('GET', `/subjects/${subject}/versions`), [2])
    },
  },
  {
    name: 'what is hidden does not count for compatibility',
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([text]))
      await registry.get('DELETE', `/subjects/${subject}`)
      await registry.register(subject, registry.record([{ ...text, type: 'int' }]))
    },
  },
  {
    name: 'READWRITE is the mode where nothing was set',
    async run(registry) {
      deepEqual(await registry.get('GET', '/mode'), { mode: 'READWRITE' })
    },
  },
  {
    name: 'a mode that does not exist is 42204',
    departs: ['invalid-mode-is-42201'],
    run: (registry) =>
      registry.refused(
        422,
        registry.has('invalid-mode-is-42201') ? 42201 : 42204,
        'PUT',
        `/mode/${registry.subject()}`,
        {
          mode: 'SIDEWAYS',
        },
      ),
  },
  {
    name: 'a subject that is READONLY takes no schema and loses none: 42205',
    departs: ['readonly-not-enforced'],
    async run(registry) {
      const subject = registry.subject()
      await registry.register(subject, registry.record([text]))
      await registry.get('PUT', `/mode/${subject}`, { mode: 'READONLY' })
      deepEqual(await registry.get('GET', `/mode/${subject}`), { mode: 'READONLY' })
      const schema = registry.record([text, optional])
      if (registry.has('readonly-not-enforced')) {
        await registry.register(subject, schema)
        return
      }
      await registry.refused(422, 42205, 'POST', `/subjects/${subject}/versions`, { schema })
      await registry.refused(422, 42205, 'DELETE', `/subjects/${subject}`)
      await registry.refused(422, 42205, 'PUT', `/config/${subject}`, { compatibility: 'NONE' })
      await registry.get('GET', `/subjects/${subject}/versions/1`)
      await registry.get('PUT', `/mode/${subject}`, { mode: 'READWRITE' })
      await registry.register(subject, schema)
    },
  },
  {
    name: 'an id of the registrar is taken only by a subject that imports: 42205',
    departs: ['ids-taken-without-import'],
    async run(registry) {
      const subject = registry.subject()
      const body = { schema: registry.record([text]), id: 1_900_000_001, version: 1 }
      if (registry.has('ids-taken-without-import')) {
        await registry.get('POST', `/subjects/${subject}/versions`, body)
        return
      }
      await registry.refused(422, 42205, 'POST', `/subjects/${subject}/versions`, body)
      await registry.get('PUT', `/mode/${subject}`, { mode: 'IMPORT' })
      equal(await registry.register(subject, body.schema, { id: body.id, version: 3 }), body.id)
      deepEqual(await registry.get('GET', `/subjects/${subject}/versions`), [3])
      await registry.refused(422, 42205, 'POST', `/subjects/${subject}/versions`, {
        schema: registry.record([optional]),
      })
    },
  },
  {
    name: 'a path that the API does not have is refused as JSON',
    async run(registry) {
      const answer = await registry.ask('GET', '/nothing/here')
      equal(answer.status, 404)
    },
  },
]
