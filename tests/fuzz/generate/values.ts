/** Values for a schema of the facts: such as it means, and such as it does not. */
import { modelFacts, resolveSchema, type FactSchema } from '../../../electron/api/schema/facts.ts'
import type { Dice } from './dice.ts'

/** What has broken programs before, whatever it was sent for. */
const HOSTILE: readonly unknown[] = [
  null,
  '',
  ' ',
  0,
  -1,
  1.5,
  1e21,
  -1e-7,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 53,
  -(2 ** 63),
  true,
  [],
  {},
  [[]],
  [null],
  { '': '' },
  { __proto__x: 1 },
  JSON.parse('{"__proto__":{"polluted":true}}'),
  { constructor: { prototype: { polluted: true } } },
  { toString: 'x', valueOf: 1, hasOwnProperty: null },
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  '..',
  '../../etc/passwd',
  '/',
  '%2e%2e%2f',
  'a\u0000b',
  '\ud800',
  '\u202e',
  'é'.repeat(40),
  '𝒳',
  'x'.repeat(300),
  'y'.repeat(70_000),
  '${jndi}',
  '\'"`;--',
  '$(VAR)',
  '{{.}}',
  'NaN',
  'Infinity',
  '-0',
  '0x10',
  '1e309',
  '9'.repeat(400),
  '1e999999999',
  'true',
  'null',
  '~',
  '(a+)+$',
  '[',
  '2026-13-45T99:99:99Z',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999999Z',
  '::ffff:1.2.3.4',
  '1.2.3.4/33',
  '2001:db8::/129',
  'P1Y',
  '*/0 * * * *',
  '0 0 31 2 *',
  'TZ=Nowhere/At_All * * * * *',
]

const WORDS = [
  'a',
  'app',
  'b-1',
  'web',
  'x.y',
  'Default',
  'Always',
  'Never',
  'TCP',
  '80',
  'http',
  'v1',
  'apps/v1',
  'example.com/a',
  'Pod',
  '*',
]
const QUANTITIES = ['1', '100m', '1Gi', '0', '1.5', '2e3', '-1', '1k', '0.0000001', '9223372036854775807', '1Ei', '10E', '5u', '1_000']
const TIMES = ['2026-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '2026-06-30T23:59:60Z', '2026-01-01T00:00:00+14:00']

export interface ValueOptions {
  /** How likely each value is one that the schema does not mean. */
  readonly hostility: number
}

export function hostileValue(dice: Dice): unknown {
  return structuredClone(dice.one(HOSTILE))
}

/** A value of the model's shape. */
export function modelValue(dice: Dice, model: string, options: ValueOptions): unknown {
  const facts = modelFacts(model)
  return facts ? valueOf(dice, facts, options, 0) : {}
}

export function valueOf(dice: Dice, given: FactSchema, options: ValueOptions, depth = 0): unknown {
  if (dice.chance(options.hostility)) return hostileValue(dice)
  const schema = resolveSchema(given)
  if (schema.enum && dice.chance(0.95)) return dice.one(schema.enum)
  if (schema.model?.endsWith('.Quantity')) return dice.chance(0.2) ? dice.int(1000) : dice.one(QUANTITIES)
  if (schema.format === 'int-or-string') return dice.chance(0.5) ? dice.int(65_536) : dice.one(['http', '50%', '1', '101%', ''])
  switch (schema.type) {
    case 'string':
      return text(dice, schema.format)
    case 'integer':
      return dice.one([0, 1, 2, 5, 80, 443, 600, 65_535, 100_000, -5])
    case 'number':
      return dice.one([0, 0.5, 1, -2.25, 1e10])
    case 'boolean':
      return dice.chance(0.5)
    case 'array':
      return dice.many(depth > 6 ? 0 : dice.int(3), () => valueOf(dice, schema.items ?? {}, options, depth + 1))
    case 'object':
      return objectOf(dice, schema, options, depth)
    default:
      return dice.one([{}, { a: 1 }, 'x', 1, [], null])
  }
}

function text(dice: Dice, format: string | undefined): string {
  if (format === 'date-time') return dice.one(TIMES)
  if (format === 'byte') return dice.bytes(dice.int(20)).toString('base64')
  return dice.one(WORDS)
}

function objectOf(dice: Dice, schema: FactSchema, options: ValueOptions, depth: number): unknown {
  const out: Record<string, unknown> = {}
  const { properties, additionalProperties } = schema
  if (properties) {
    const wanted = depth === 0 ? 0.8 : depth < 4 ? 0.25 : 0.08
    for (const [name, property] of Object.entries(properties)) {
      if (schema.required?.includes(name) ? dice.chance(0.95) : depth < 9 && dice.chance(wanted)) {
        out[name] = valueOf(dice, property, options, depth + 1)
      }
    }
    if (dice.chance(options.hostility))
      out[dice.one(['unknown', '', 'metadata', 'a.b', 'constructor', 'valueOf', 'x'.repeat(200)])] = hostileValue(dice)
  } else if (additionalProperties) {
    for (let i = dice.int(3); i > 0; i--) out[dice.one(WORDS)] = valueOf(dice, additionalProperties, options, depth + 1)
  }
  return out
}

/**
 * Puts a new value somewhere into the object: below a random path of the model. What is on the way is made, or taken as it is.
 */
export function mutate(dice: Dice, object: Record<string, unknown>, model: string, options: ValueOptions): void {
  let at: Record<string, unknown> = object
  let schema = modelFacts(model)
  for (let depth = 0; schema?.properties; depth++) {
    const names = Object.keys(schema.properties).filter((name) => depth > 0 || (name !== 'apiVersion' && name !== 'kind'))
    if (names.length === 0) return
    const there = names.filter((name) => at[name] !== undefined)
    const name = there.length > 0 && dice.chance(0.6) ? dice.one(there) : dice.one(names)
    const property = resolveSchema(schema.properties[name] as FactSchema)
    if (depth > 6 || dice.chance(depth === 0 ? 0.05 : 0.3)) {
      const kept = depth === 1 && name === 'name'
      if (!kept) at[name] = dice.chance(0.1) ? undefined : valueOf(dice, property, options, Math.max(depth, 3))
      return
    }
    const list = at[name]
    const inner = property.items ? resolveSchema(property.items) : property
    const next = Array.isArray(list) ? (list[dice.int(Math.max(1, list.length))] as unknown) : list
    if (!inner.properties || typeof next !== 'object' || next === null) {
      at[name] = valueOf(dice, property, options, Math.max(depth, 3))
      return
    }
    at = next as Record<string, unknown>
    schema = inner
  }
}
