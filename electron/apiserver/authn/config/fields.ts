/** Reads the fields of a configuration file, strictly, and gathers what is wrong with them. */
import { invalid, required, typeInvalid, type FieldError } from '../../../api/values/field-error.ts'
import { parseDuration } from '../../../api/values/duration.ts'
import { isObject } from '../../../machinery/json-value.ts'

type Json = Readonly<Record<string, unknown>>

export class Fields {
  readonly at: string
  readonly errors: FieldError[]
  readonly #json: Json

  /** `known`: every field that there may be. `at` is "" for the document itself. */
  constructor(json: unknown, at: string, errors: FieldError[], known: readonly string[]) {
    this.at = at
    this.errors = errors
    this.#json = isObject(json) ? json : {}
    if (!isObject(json)) errors.push(typeInvalid(at || 'document', json, 'must be fields and values'))
    for (const name of Object.keys(this.#json)) if (!known.includes(name)) errors.push(invalid(this.path(name), name, 'unknown field'))
  }

  path(name: string): string {
    return this.at ? `${this.at}.${name}` : name
  }

  has(name: string): boolean {
    const value = this.#json[name]
    return value !== undefined && value !== null
  }

  /** "" if it is absent. */
  text(name: string): string {
    return this.#read(name, 'a string', (value) => (typeof value === 'string' ? value : undefined)) ?? ''
  }

  needText(name: string): string {
    const value = this.text(name)
    if (value === '' && !this.errors.some(({ field }) => field === this.path(name))) this.errors.push(required(this.path(name)))
    return value
  }

  flag(name: string): boolean | undefined {
    return this.#read(name, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined))
  }

  texts(name: string): readonly string[] {
    const read = (value: unknown) => (Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined)
    return this.#read(name, 'a list of strings', read) ?? []
  }

  /** In milliseconds. */
  duration(name: string): number | undefined {
    return this.#read(name, 'a duration such as "30s"', (value) => (typeof value === 'string' ? parseDuration(value) : undefined))
  }

  /** As it was read. */
  raw(name: string): unknown {
    return this.#json[name]
  }

  part(name: string, known: readonly string[]): Fields {
    return new Fields(this.#json[name] ?? {}, this.path(name), this.errors, known)
  }

  parts(name: string, known: readonly string[]): Fields[] {
    const list = this.#read(name, 'a list', (value) => (Array.isArray(value) ? (value as unknown[]) : undefined)) ?? []
    return list.map((one, i) => new Fields(one, `${this.path(name)}[${i}]`, this.errors, known))
  }

  #read<T>(name: string, what: string, read: (value: unknown) => T | null | undefined): T | undefined {
    const value = this.#json[name]
    if (value === undefined || value === null) return undefined
    const found = read(value)
    if (found !== undefined && found !== null) return found
    this.errors.push(typeInvalid(this.path(name), value, `must be ${what}`))
    return undefined
  }
}
