import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../base/random.ts'
import { BudgetError, CelError } from './errors.ts'
import { estimateCost } from './estimate.ts'
import { fromJson } from './json.ts'
import { kubernetesEnvironment } from './library/kubernetes/kubernetes.ts'
import { typeOfSchema } from './schema-type.ts'
import { conformanceTests } from './testing/conformance.ts'
import { DYN } from './types.ts'

const TOKEN = /[A-Za-z_][A-Za-z0-9_]*|\d+(?:\.\d+)?u?|"[^"]*"|'[^']*'|\s+|[^\s\w]/g
const ROUNDS = 6000

const schema = {
  type: 'object',
  properties: {
    list: { type: 'array', items: { type: 'integer' } },
    map: { type: 'object', additionalProperties: { type: 'string' } },
    name: { type: 'string' },
    at: { type: 'string', format: 'date-time' },
    any: { 'x-kubernetes-int-or-string': true },
  },
}
const object = { list: [1, 0, -5], map: { a: 'b', '': '' }, name: 'Räksmörgås 😀', at: '2024-02-29T23:59:59.999Z', any: '50%' }
const OWN = [
  'self.list.all(i, i > 0)',
  'self.map.exists(k, v, v == k)',
  'self.at.getHours("America/New_York")',
  'self.name.split("").join("x")',
  'self.list[?0].orValue(1)',
  'quantity("1Gi").add(5).asInteger()',
  'url("http://a/").getQuery()',
]

/** Whether evaluation ended as it may end. */
function ends(evaluate: () => unknown): boolean {
  try {
    evaluate()
    return true
  } catch (error) {
    return error instanceof CelError || error instanceof BudgetError
  }
}

describe('expressions of all kinds', () => {
  it('are refused, fail, or have a value, and do nothing else', () => {
    const random = seededRandom(20261121)
    const pick = <T>(from: readonly T[]) => from[Math.floor(random.float() * from.length)] as T
    const self = typeOfSchema(schema, false)
    if (!self) throw new Error('no type')
    const environment = kubernetesEnvironment().extend({ variables: { self, x: DYN, y: DYN } })
    const corpus = [...conformanceTests().map(({ expr }) => expr), ...OWN]
    const tokens = corpus.flatMap((source) => source.match(TOKEN) ?? [])
    const values = [1, 0, '', 'abc', null, true, [1, 'a', null], { a: 1 }, -1.5, 1e308].map((value) => fromJson(value))
    let evaluated = 0
    for (let i = 0; i < ROUNDS; i++) {
      const parts = [...(pick(corpus).match(TOKEN) ?? [])]
      for (let changes = Math.floor(random.float() * 4); changes > 0; changes--) {
        const at = Math.floor(random.float() * parts.length)
        parts.splice(at, random.float() < 0.7 ? 1 : 0, ...(random.float() < 0.7 ? [pick(tokens)] : []))
      }
      const source = parts.join('')
      const { program } = environment.compile(source)
      if (!program) continue
      evaluated++
      expect(estimateCost(program.expr, self).max, source).toBeGreaterThanOrEqual(0)
      const bindings = { self: fromJson(object, self), x: pick(values), y: pick(values) }
      expect(
        ends(() => program.evaluate(bindings)),
        source,
      ).toBe(true)
    }
    expect(evaluated).toBeGreaterThan(ROUNDS / 10)
  })
})
