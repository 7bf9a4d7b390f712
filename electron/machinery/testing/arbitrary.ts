/** Random objects of a type, for property tests. */
import fc from 'fast-check'
import { randomInt, seededRandom, type Random } from '../../base/random.ts'
import type { Field, ListType, ScalarType, StructType, Type } from '../schema/type.ts'

export interface ArbitraryOptions {
  /** Objects are not filled any deeper than this. Default 5. */
  readonly depth?: number
  /** Share of the fields that are there. Default 0.3. */
  readonly density?: number
  /** Whether what no schema describes may hold null. Default yes. */
  readonly nulls?: boolean
}

type Properties = Record<string, unknown>

/** Values as a client could send them: in no normal form, but no list with keys holds an item twice. */
export function arbitraryOf(type: StructType, options: ArbitraryOptions = {}): fc.Arbitrary<Properties> {
  return fc.nat().map((seed) => randomObject(type, seededRandom(seed), options))
}

export function randomObject(type: StructType, random: Random, options: ArbitraryOptions = {}): Properties {
  return new Generator(random, options.density ?? 0.3, options.nulls ?? true).struct(type, options.depth ?? 5)
}

class Generator {
  readonly #random: Random
  readonly #density: number
  readonly #nulls: boolean

  constructor(random: Random, density: number, nulls: boolean) {
    this.#random = random
    this.#density = density
    this.#nulls = nulls
  }

  struct(type: StructType, depth: number): Properties {
    const out: Properties = {}
    for (const field of type.fields.values()) {
      if (this.#random.float() >= this.#density || (depth <= 0 && field.type.kind !== 'scalar')) continue
      out[field.name] = this.#value(field.type, depth - 1, field)
    }
    return out
  }

  #value(type: Type, depth: number, field?: Field): unknown {
    switch (type.kind) {
      case 'struct':
        return this.struct(type, depth)
      case 'map':
        return Object.fromEntries(this.#times(3, () => [this.#word(), this.#value(type.values, depth - 1)]))
      case 'list':
        return this.#list(type, depth, field)
      case 'scalar':
        return this.#scalar(type)
      case 'union':
        return this.struct(type.object as StructType, Math.min(depth, 1))
      case 'any':
        return Object.fromEntries(
          this.#times(2, () => [this.#word(), this.#one<unknown>('x', 1, true, this.#nulls ? null : false, [1, 'a'])]),
        )
    }
  }

  #list(type: ListType, depth: number, field?: Field): unknown[] {
    const keys = type.listType === 'map' ? type.keys : field?.patch.mergeKey ? [field.patch.mergeKey] : []
    const item = () => this.#value(type.items, depth - 1)
    if (keys.length > 0 && type.items.kind === 'struct') {
      const { fields } = type.items
      const keyed = this.#times(3, () => {
        const n = this.#below(10)
        return { ...(item() as Properties), ...Object.fromEntries(keys.map((key) => [key, keyValue(fields.get(key)?.type, n)])) }
      })
      return unique(keyed, (value) => keys.map((key) => value[key]))
    }
    const items = this.#times(3, item)
    return type.listType === 'set' || field?.patch.strategy === 'merge' ? unique(items, (value) => value) : items
  }

  #scalar({ scalar }: ScalarType): unknown {
    switch (scalar) {
      case 'string':
        return this.#one('', 'a', this.#word(), this.#word(), 'with "quotes"\n', 'ü\u{1f600}')
      case 'boolean':
        return this.#one(true, false)
      case 'int32':
        return this.#one(0, 1, -1, this.#below(2 ** 31), -(2 ** 31))
      case 'int64':
        return this.#one(0, 1, -1, this.#below(2 ** 53), Number.MAX_SAFE_INTEGER)
      case 'number':
        return this.#one(0, 1.5, -2e10)
      case 'bytes':
        return Buffer.from(this.#random.bytes(this.#below(8))).toString('base64')
      case 'time':
        return this.#one(this.#date().toISOString(), '2026-11-21T08:00:00Z', '2026-11-21T08:00:00+01:30')
      case 'microTime':
        return this.#date().toISOString().replace('Z', '123Z')
      case 'duration':
        return this.#one('5s', '1h')
      case 'quantity':
        return this.#one<unknown>('100m', '1', '1Gi', '1024Mi', '0.5', '1500m', '1e3', '0', '128974848', '0.1Ki', this.#below(99999))
      case 'intOrString':
        return this.#one<unknown>(this.#below(65536), 'http', '25%')
    }
  }

  #date(): Date {
    return new Date(this.#below(4_000_000_000) * 1000 + this.#below(1000))
  }

  #word(): string {
    return Array.from({ length: 1 + this.#below(3) }, () => this.#one('a', 'b', 'c', '-', '7')).join('')
  }

  #times<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.#below(most + 1) }, make)
  }

  #below(n: number): number {
    return randomInt(this.#random, n)
  }

  #one<T>(...choices: T[]): T {
    return choices[this.#below(choices.length)] as T
  }
}

function keyValue(type: Type | undefined, n: number): unknown {
  if (type?.kind !== 'scalar' || type.scalar === 'string') return `k${n}`
  return type.scalar === 'boolean' ? n % 2 === 0 : n + 1
}

function unique<T>(items: readonly T[], key: (item: T) => unknown): T[] {
  return [...new Map(items.map((item) => [JSON.stringify(key(item)), item])).values()]
}
