import type { AnyKind } from '../../../electron/api/kind.ts'
import type { Dice } from './dice.ts'
import { anyObject, type Loose, type ObjectOptions } from './objects.ts'
import { hostileValue, mutate } from './values.ts'

export interface Patch {
  readonly type: string
  readonly body: unknown
}

const POINTERS = [
  '',
  '/',
  '/metadata',
  '/metadata/labels',
  '/metadata/labels/a~1b',
  '/metadata/annotations/x',
  '/metadata/finalizers/-',
  '/metadata/managedFields',
  '/metadata/name',
  '/metadata/uid',
  '/spec',
  '/spec/replicas',
  '/spec/template/spec/containers/0',
  '/spec/template/spec/containers/-',
  '/spec/template/spec/containers/99999999999999999999',
  '/spec/containers/0/image',
  '/spec/containers/01',
  '/spec/ports/0/port',
  '/data',
  '/data/a',
  '/data/__proto__',
  '/__proto__/polluted',
  '/constructor/prototype/polluted',
  '/kind',
  '/status',
  '/status/conditions/-1',
  '~2',
  'no-slash',
  '/a~',
]

export function anyPatch(dice: Dice, kind: AnyKind, options: ObjectOptions): Patch {
  switch (dice.int(4)) {
    case 0:
      return { type: 'application/json-patch+json', body: jsonPatch(dice) }
    case 1:
      return { type: 'application/merge-patch+json', body: partial(dice, kind, options) }
    case 2:
      return { type: 'application/strategic-merge-patch+json', body: directives(dice, partial(dice, kind, options), 0) }
    default:
      return { type: 'application/apply-patch+yaml', body: anyObject(dice, kind, options).object }
  }
}

function partial(dice: Dice, kind: AnyKind, options: ObjectOptions): Loose {
  const out: Loose = dice.chance(0.3) ? anyObject(dice, kind, options).object : {}
  for (let i = 1 + dice.int(3); i > 0; i--) mutate(dice, out, kind.model, options)
  if (dice.chance(0.2))
    out['metadata'] = { labels: { a: dice.one(['1', null, 'x y']) }, finalizers: dice.one([null, [], ['fuzz.example/f']]) }
  return out
}

function jsonPatch(dice: Dice): unknown {
  if (dice.chance(0.05)) return hostileValue(dice)
  return dice.many(dice.chance(0.02) ? 10_001 : 1 + dice.int(5), () => {
    const op = dice.one(['add', 'add', 'remove', 'replace', 'replace', 'copy', 'move', 'test', 'bogus'])
    const path = dice.one(POINTERS)
    return {
      ...(dice.chance(0.97) ? { op } : {}),
      ...(dice.chance(0.97) ? { path } : { path: hostileValue(dice) }),
      ...(op === 'copy' || op === 'move' ? { from: dice.one(POINTERS) } : {}),
      ...(dice.chance(0.8) ? { value: dice.chance(0.5) ? hostileValue(dice) : dice.one(['x', 1, {}, { a: '1' }, ['a']]) } : {}),
    }
  })
}

const DIRECTIVES: readonly (readonly [string, readonly unknown[]])[] = [
  ['$patch', ['delete', 'replace', 'merge', 'bogus', null, 1]],
  ['$retainKeys', [['a'], [], 'x', [1], null]],
  ['$setElementOrder/containers', [[{ name: 'app' }, { name: 'b' }], [{}], 'x', [null]]],
  ['$setElementOrder/finalizers', [['a', 'b'], [1], null]],
  ['$deleteFromPrimitiveList/finalizers', [['a'], 'a', null, [{}]]],
  ['$setElementOrder/ports', [[{ containerPort: 1 }], [{ port: 80 }]]],
]

/** Strategic merge patches speak by properties of their own. */
function directives(dice: Dice, value: unknown, depth: number): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => directives(dice, item, depth + 1))
    return dice.chance(0.1) ? [...items, { $patch: dice.one(['replace', 'delete']) }] : items
  }
  if (typeof value !== 'object' || value === null) return value
  const out: Loose = {}
  for (const [name, item] of Object.entries(value)) out[name] = directives(dice, item, depth + 1)
  if (depth < 5 && dice.chance(0.1)) {
    const [name, values] = dice.one(DIRECTIVES)
    out[name] = dice.one(values)
  }
  return out
}
