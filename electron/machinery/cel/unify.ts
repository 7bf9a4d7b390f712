/** Which types fit where, with type parameters. Source: cel-go `checker/types.go`. */
import { DYN, isDynOrError, parameter, sameType, type CelType } from './types.ts'

export class TypeVariables {
  #known: Map<string, CelType> = new Map()
  #made = 0

  fresh(): CelType {
    return { kind: 'param', name: `_var${this.#made++}`, params: [] }
  }

  /** Whether a value of type `from` may stand where `to` is wanted; learns what parameters stand for if so. */
  assign(from: CelType, to: CelType): boolean {
    return this.assignAll([from], [to])
  }

  assignAll(from: readonly CelType[], to: readonly CelType[]): boolean {
    if (from.length !== to.length) return false
    const before = new Map(this.#known)
    if (from.every((one, i) => this.#fits(one, to[i] ?? DYN))) return true
    this.#known = before
    return false
  }

  /** With parameters replaced by what they stand for; with `whole`, unknown ones by `dyn`. */
  resolve(type: CelType, whole = false): CelType {
    const known = type.kind === 'param' ? this.#known.get(type.name) : undefined
    if (known) return this.resolve(known, whole)
    if (type.kind === 'param') return whole ? DYN : type
    if (type.params.length === 0) return type
    const params = type.params.map((one) => this.resolve(one, whole))
    return params.every((one, i) => one === type.params[i]) ? type : { ...type, params }
  }

  /** The two types' more general one. */
  moreGeneral(a: CelType, b: CelType): CelType {
    return isAsGeneral(a, b) ? a : b
  }

  #fits(from: CelType, to: CelType): boolean {
    if (to.kind === 'param') {
      const outcome = this.#substitute(from, to)
      if (outcome !== null) return outcome
    }
    if (from.kind === 'param') return this.#substitute(to, from) ?? false
    if (isDynOrError(from) || isDynOrError(to)) return true
    if (from.kind === 'null') return NULLABLE.has(to.kind)
    if (to.kind === 'null') return NULLABLE.has(from.kind)
    if (from.kind !== to.kind || from.name !== to.name) return false
    if (from.kind === 'type') return true
    return from.params.length === to.params.length && from.params.every((one, i) => this.#fits(one, parameter(to, i)))
  }

  /** Null if it may still fit in another way. */
  #substitute(type: CelType, variable: CelType): boolean | null {
    if (sameType(type, variable)) return true
    const known = this.#known.get(variable.name)
    if (known) {
      if (!this.#fits(type, known)) return false
      const next = this.moreGeneral(type, known)
      if (!this.#mentions(next, variable)) this.#known.set(variable.name, next)
      return true
    }
    if (this.#mentions(type, variable)) return null
    this.#known.set(variable.name, type)
    return true
  }

  #mentions(type: CelType, variable: CelType): boolean {
    if (type.kind === 'param') {
      if (type.name === variable.name) return true
      const known = this.#known.get(type.name)
      return known ? this.#mentions(known, variable) : false
    }
    return type.params.some((one) => this.#mentions(one, variable))
  }
}

const NULLABLE: ReadonlySet<string> = new Set(['null', 'object', 'opaque', 'timestamp', 'duration'])

function isAsGeneral(a: CelType, b: CelType): boolean {
  if (isDynOrError(a) || a.kind === 'param') return true
  if (isDynOrError(b) || b.kind === 'param') return false
  if (b.kind === 'null' && NULLABLE.has(a.kind)) return true
  if (a.kind !== b.kind || a.name !== b.name || a.params.length !== b.params.length) return false
  return a.params.every((one, i) => isAsGeneral(one, parameter(b, i)))
}
