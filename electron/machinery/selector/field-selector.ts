/** Field selectors: "metadata.name=a,status.phase!=Running". Source: apimachinery `fields`. */
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { badRequest } from '../status.ts'

export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

/** What a field selector needs to know of a kind. */
export type SelectableKind = Pick<AnyKind, 'selectableFields'>

export interface FieldSelector {
  readonly requirements: readonly FieldRequirement[]
  readonly everything: boolean
  /** The object must be of the kind the selector was made for. */
  matches(object: KubeObject): boolean
  /** The value that the field must have, if there is one. */
  exact(field: string): string | undefined
  toString(): string
}

/** Parses a query's `fieldSelector`. Throws StatusError `BadRequest` where it is malformed or asks for a field that cannot be selected. */
export function parseFieldSelector(text: string, kind: SelectableKind): FieldSelector {
  return fieldSelectorOf(parseFieldRequirements(text), kind)
}

export function fieldSelectorOf(requirements: readonly FieldRequirement[], kind: SelectableKind): FieldSelector {
  const tests = requirements.map(({ field, operator, value }) => {
    const get = getterOf(field, kind)
    return operator === '=' ? (object: KubeObject) => get(object) === value : (object: KubeObject) => get(object) !== value
  })
  return Object.freeze({
    requirements,
    everything: tests.length === 0,
    matches: (object: KubeObject) => {
      for (const test of tests) if (!test(object)) return false
      return true
    },
    exact: (field: string) => requirements.find((r) => r.field === field && r.operator === '=')?.value,
    toString: () => requirements.map((r) => `${r.field}${r.operator}${escapeFieldValue(r.value)}`).join(','),
  })
}

/** The terms, sorted as text. "==" comes out as "=". */
export function parseFieldRequirements(text: string): FieldRequirement[] {
  const requirements: FieldRequirement[] = []
  for (const term of splitTerms(text).sort()) {
    if (term === '') continue
    const found = /!=|==|=/.exec(term)
    if (!found) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
    const value = unescapeFieldValue(term.slice(found.index + found[0].length))
    requirements.push({ field: term.slice(0, found.index), operator: found[0] === '!=' ? '!=' : '=', value })
  }
  return requirements
}

/** Makes a text fit to be a value in a field selector: `\`, `,` and `=` get a backslash. */
export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, '\\$&')
}

function unescapeFieldValue(text: string): string {
  if (!/[\\,=]/.test(text)) return text
  let value = ''
  let escaped = false
  for (const char of text) {
    const special = char === '\\' || char === ',' || char === '='
    if (escaped) {
      if (!special) throw badRequest(`invalid field selector: invalid escape sequence: \\${char}`)
      value += char
      escaped = false
    } else if (char === '\\') escaped = true
    else if (special) throw badRequest(`invalid field selector: unescaped character in value: ${char.codePointAt(0)}`)
    else value += char
  }
  if (escaped) throw badRequest('invalid field selector: invalid escape sequence: \\')
  return value
}

function splitTerms(text: string): string[] {
  const terms: string[] = []
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === ',') {
      terms.push(text.slice(start, i))
      start = i + 1
    }
  }
  terms.push(text.slice(start))
  return terms
}

function getterOf(field: string, kind: SelectableKind): (object: KubeObject) => string {
  if (field === 'metadata.name') return (object) => object.metadata.name
  if (field === 'metadata.namespace') return (object) => object.metadata.namespace ?? ''
  if (Object.hasOwn(kind.selectableFields, field)) {
    const get = kind.selectableFields[field]
    if (get) return get
  }
  if (Object.keys(kind.selectableFields).length > 0) throw badRequest(`field label not supported: ${field}`)
  throw badRequest(`${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`)
}
