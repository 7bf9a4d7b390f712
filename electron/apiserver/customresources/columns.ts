/** What tables show of custom resources. Source: apiextensions-apiserver `registry/customresource/tableconvertor`. */
import type { CustomResourceColumnDefinition } from '../../api/apiextensions/v1/types.gen.ts'
import type { Column } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { age } from '../../api/values/time.ts'
import { compilePath } from './json-path.ts'

const AGE: CustomResourceColumnDefinition = {
  name: 'Age',
  type: 'date',
  description: 'When the object was made',
  jsonPath: '.metadata.creationTimestamp',
}

type Cell = string | number | boolean | null

export function columnsOf(definitions: readonly CustomResourceColumnDefinition[] | undefined): readonly Column<KubeObject>[] {
  return (definitions?.length ? definitions : [AGE]).map(columnOf)
}

function columnOf({ name, type, description, priority = 0, jsonPath }: CustomResourceColumnDefinition): Column<KubeObject> {
  const read = reader(jsonPath)
  return {
    name,
    type: type as Column<KubeObject>['type'],
    description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    priority,
    value(object, now) {
      const [value] = read(object)
      return value === undefined ? null : cell(type, value, now)
    },
  }
}

/** A column whose path cannot be read stays empty. */
function reader(path: string): (object: unknown) => unknown[] {
  try {
    return compilePath(path)
  } catch {
    return () => []
  }
}

function cell(type: string, value: unknown, now: number): Cell {
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? (Number.isNaN(Date.parse(value)) ? '<invalid>' : age(value, now)) : null
    default:
      return typeof value === 'string' ? value : value === null ? '<nil>' : JSON.stringify(value)
  }
}
