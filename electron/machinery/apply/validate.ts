/** Whether a configuration can be applied: what its type says, nothing twice. Source: structured-merge-diff `typed.Validate`. */
import { goFormat, isObject } from '../json-value.ts'
import type { ListType, Scalar, Type } from '../schema/type.ts'
import { fieldElement, showElement, type PathElement } from './path-element.ts'
import { elementOf, UntrackableError } from './shape.ts'

/** Faults with their paths, `.spec.foo: field not declared in schema`; none if it is fine. */
export function validateConfiguration(value: unknown, type: Type, path = ''): string[] {
  const fault = (message: string) => [path === '' ? message : `${path}: ${message}`]
  if (value === null || value === undefined) return []
  switch (type.kind) {
    case 'scalar': {
      const message = scalarFault(value, type.scalar)
      return message ? fault(message) : []
    }
    case 'any':
    case 'union':
      return []
    case 'list':
      return Array.isArray(value) ? itemFaults(value, type, path) : fault(`expected list, got &{${goFormat(value)}}`)
    case 'map':
      if (!isObject(value)) return fault(`expected map, got &{${goFormat(value)}}`)
      return Object.entries(value).flatMap(([key, item]) => validateConfiguration(item, type.values, path + showElement(fieldElement(key))))
    case 'struct':
      if (!isObject(value)) return fault(`expected map, got &{${goFormat(value)}}`)
      return Object.entries(value).flatMap(([key, item]) => {
        const field = type.fields.get(key)
        const below = path + showElement(fieldElement(key))
        if (field) return validateConfiguration(item, field.type, below)
        return type.keepUnknown ? [] : [`${below}: field not declared in schema`]
      })
  }
}

/** The faults as one message. */
export function formatFaults(faults: readonly string[]): string {
  return faults.length === 1 ? (faults[0] ?? '') : ['errors:', ...faults.map((fault) => `  ${fault}`)].join('\n')
}

function itemFaults(items: readonly unknown[], type: ListType, path: string): string[] {
  const seen = new Set<PathElement>()
  const faults: string[] = []
  for (const [i, item] of items.entries()) {
    let element: PathElement = `i:${i}`
    if (type.listType !== 'atomic') {
      try {
        element = elementOf(type, item)
      } catch (error) {
        if (!(error instanceof UntrackableError)) throw error
        return [...faults, `${path}: element ${i}: ${error.message}`]
      }
      if (seen.has(element)) faults.push(`${path}: duplicate entries for key ${showElement(element)}`)
      seen.add(element)
    }
    faults.push(...validateConfiguration(item, type.items, path + showElement(element)))
  }
  return faults
}

function scalarFault(value: unknown, scalar: Scalar): string | null {
  switch (scalar) {
    case 'int32':
    case 'int64':
    case 'number':
      return typeof value === 'number' ? null : `expected numeric (int or float), got ${goType(value)}`
    case 'boolean':
      return typeof value === 'boolean' ? null : `expected boolean, got &{${goFormat(value)}}`
    case 'quantity':
    case 'intOrString':
      return typeof value === 'object' ? `expected any scalar, got &{${goFormat(value)}}` : null
    case 'string':
    case 'bytes':
    case 'time':
    case 'microTime':
    case 'duration':
      return typeof value === 'string' ? null : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`
  }
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}'
  if (isObject(value)) return 'map[string]interface {}'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** The value as Go's `%#v` prints it. */
function goSyntax(value: unknown): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`
  if (!isObject(value)) return value === null ? 'interface {}(nil)' : JSON.stringify(value)
  const entries = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${goSyntax(value[key])}`)
  return `map[string]interface {}{${entries.join(', ')}}`
}
