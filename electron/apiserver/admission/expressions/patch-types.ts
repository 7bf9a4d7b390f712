/** The types of which mutations are made: `Object`, `Object.spec`, … and `JSONPatch`. Source: apiserver `cel/mutation`. */
import { CelError } from '../../../machinery/cel/errors.ts'
import { toJson } from '../../../machinery/cel/json.ts'
import { DYN, objectType, STRING, type CelType, type FieldType } from '../../../machinery/cel/types.ts'
import { CelList, CelMap, CelObject, type Value } from '../../../machinery/cel/values.ts'

export const OBJECT = 'Object'
export const JSON_PATCH_TYPE = 'JSONPatch'

const PATHS = /\bObject(?:\s*\.\s*[A-Za-z_][A-Za-z0-9_]*)*/g
const PATCH_FIELDS: Readonly<Record<string, CelType>> = { op: STRING, path: STRING, from: STRING, value: DYN }

/** Those that an expression names: there is one for every path of fields, and any field may hold anything. */
export function patchTypes(source: string): CelType[] {
  const names = new Set([OBJECT])
  for (const [path] of source.matchAll(PATHS)) {
    const parts = path.split('.').map((part) => part.trim())
    for (let length = 1; length <= parts.length; length++) names.add(parts.slice(0, length).join('.'))
  }
  const field = (property: string): FieldType => ({ type: DYN, property })
  return [...[...names].map((name) => objectType(name, field)), jsonPatchType]
}

export const jsonPatchType = objectType(JSON_PATCH_TYPE, (property) => {
  const type = PATCH_FIELDS[property]
  return type && { type, property }
})

/** The JSON of a value that may hold `Object`s, which must stand where their names say. Throws CelError. */
export function configurationOf(value: Value, root: string | null): unknown {
  checkNames(value, root)
  return toJson(value)
}

/** `expected` is null below a JSON patch's value, whose first object says where it stands. */
function checkNames(value: Value, expected: string | null): void {
  if (value instanceof CelObject) {
    const { name } = value.type
    if (!name.startsWith(OBJECT)) return
    const wanted = expected ?? name
    if (name !== wanted)
      throw new CelError(
        `type mismatch: unexpected type name ${JSON.stringify(name)}, expected ${JSON.stringify(wanted)}, which matches field name path from root Object type`,
      )
    for (const field of value.fields()) checkNames(value.get(field) ?? null, `${wanted}.${field}`)
  } else if (value instanceof CelList) for (const item of value) checkNames(item, expected)
  else if (value instanceof CelMap) for (const key of value.keys()) checkNames(value.get(key) ?? null, expected)
}
