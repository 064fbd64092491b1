import type { FastifyInstance } from 'fastify'
import { ProblemError } from './problem.ts'

/** Deepest nesting a body may have; an order has three. */
const maxDepth = 32

/** Reads JSON bodies that are no deeper than they need to be, and hold no key that could reach a prototype. */
export function readJsonBodies(http: FastifyInstance): void {
  const parse = http.getDefaultJsonParser('error', 'error')
  http.removeContentTypeParser('application/json')
  http.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Before parsing: what comes after, from validating to writing it out again, recurses once per level.
    if (nestingOf(body) <= maxDepth) return parse(request, body, done)
    done(
      new ProblemError({
        status: 400,
        code: 'body-too-deep',
        title: 'The body is nested too deeply',
        detail: `Send JSON of at most ${maxDepth} levels.`,
      }),
    )
  })
}

/** How many levels of objects and lists a JSON text opens at most. */
export function nestingOf(json: string): number {
  let depth = 0
  let deepest = 0
  let inText = false
  for (let i = 0; i < json.length; i++) {
    const character = json[i]
    if (inText) {
      if (character === '\\') i++
      else if (character === '"') inText = false
    } else if (character === '"') inText = true
    else if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth)
    else if (character === '}' || character === ']') depth--
  }
  return deepest
}
