/** Which of a function's overloads values call, and what they call. */
import { noSuchOverload } from './errors.ts'
import type { Overload } from './functions.ts'
import type { CelType } from './types.ts'
import { CelList, CelMap, CelObject, Duration, Opaque, Optional, Timestamp, TypeValue, Uint, type Value } from './values.ts'

type Test = (value: Value) => boolean

const KINDS: Readonly<Record<Exclude<CelType['kind'], 'object' | 'opaque'>, Test>> = {
  dyn: () => true,
  error: () => true,
  param: () => true,
  null: (value) => value === null,
  bool: (value) => typeof value === 'boolean',
  int: (value) => typeof value === 'bigint',
  uint: (value) => value instanceof Uint,
  double: (value) => typeof value === 'number',
  string: (value) => typeof value === 'string',
  bytes: (value) => value instanceof Uint8Array,
  timestamp: (value) => value instanceof Timestamp,
  duration: (value) => value instanceof Duration,
  list: (value) => value instanceof CelList,
  map: (value) => value instanceof CelMap,
  type: (value) => value instanceof TypeValue,
}

function testOf(type: CelType): Test {
  switch (type.kind) {
    case 'opaque':
      if (type.name === 'optional_type') {
        const inside = testOf(type.params[0] ?? { kind: 'dyn', name: 'dyn', params: [] })
        return (value) => value instanceof Optional && (value.value === undefined || inside(value.value))
      }
      return (value) => value instanceof Opaque && value.type.name === type.name
    case 'object':
      return (value) => value instanceof CelObject && value.type.name === type.name
    default:
      return KINDS[type.kind]
  }
}

export interface Callable {
  readonly id: string
  /** One for each parameter. */
  readonly tests: readonly Test[]
  readonly run: Overload['run']
}

export const callable = ({ id, params, run }: Overload): Callable => ({ id, run, tests: params.map(testOf) })

/** Throws CelError if none takes these. */
export function choose<T extends Callable>(candidates: readonly T[], args: readonly Value[]): T {
  for (const candidate of candidates) if (candidate.tests.every((test, i) => test(args[i] as Value))) return candidate
  throw noSuchOverload()
}
