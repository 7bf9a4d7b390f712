/** Paths to fields in a subset of JSONPath: `.spec.size`, `.labels['a.b']`. Source: apiextensions `schema/cel/validation.go`, ValidFieldPath. */
import type { JSONSchemaProps } from '../../../api/apiextensions/v1/types.gen.ts'

export interface FoundField {
  /** As errors name it: `spec.size`, `labels[a.b]`. */
  readonly path: string
  readonly schema: JSONSchemaProps
}

export class PathError extends Error {
  override readonly name = 'PathError'
}

const TOKEN = /'(?:[^'\\]|\\.)*'|[.[\]]|[^.[\]']+|'/gy

/** Throws PathError with what is wrong. `indexed`: names may also stand in brackets. */
export function findField(path: string, schema: JSONSchemaProps, indexed = true): FoundField {
  const tokens = path.match(TOKEN) ?? []
  let found: FoundField = { path: '', schema }
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] ?? ''
    if (token === '.') {
      const name = tokens[++i]
      if (name === undefined) throw new PathError('unexpected end of JSON path')
      found = below(found, name)
    } else if (token === '[') {
      if (!indexed) throw new PathError('array notation is not allowed')
      const quoted = tokens[++i]
      if (quoted === undefined) throw new PathError('unexpected end of JSON path')
      if (quoted.length < 2 || !quoted.startsWith("'")) throw new PathError(`expected single quoted string but got ${quoted}`)
      found = below(found, unescape(quoted.slice(1, -1)))
      const close = tokens[++i]
      if (close === undefined) throw new PathError('unexpected end of JSON path')
      if (close !== ']') throw new PathError(`expected ] but got ${close}`)
    } else throw new PathError(`expected [ or . but got: ${token}`)
  }
  return found
}

function below({ path, schema }: FoundField, name: string): FoundField {
  const { properties, additionalProperties: values } = schema
  if (properties) {
    const own = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (!own) throw new PathError('does not refer to a valid field')
    return { path: path === '' ? name : `${path}.${name}`, schema: own }
  }
  if (typeof values !== 'object') throw new PathError('does not refer to a valid field')
  return { path: `${path}[${name}]`, schema: values }
}

const ESCAPES: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', "'": "'", '\\': '\\' }

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (whole, char: string) => {
    const meant = ESCAPES[char]
    if (meant === undefined) throw new PathError(`invalid string literal: invalid escape char ${whole}`)
    return meant
  })
}
