/** Fields, items and entries of values. */
import { CelError, noSuchKey, noSuchOverload } from './errors.ts'
import { CelList, CelMap, CelObject, NONE, Optional, numeric, runtimeType, showValue, type Value } from './values.ts'

/** Throws CelError if there is no such item. */
export function itemAt(items: CelList, index: Value): Value {
  const found = itemIfAny(items, index)
  if (found === undefined) throw new CelError(`index out of bounds: ${showValue(index)}`)
  return found
}

/** Undefined if there is no such item. Throws CelError for what is no index. */
export function itemIfAny(items: CelList, index: Value): Value | undefined {
  const number = Number(numeric(index) ?? NaN)
  if (!Number.isInteger(number)) throw new CelError(`unsupported index type '${runtimeType(index).name}' in list`)
  return number < 0 || number >= items.size ? undefined : items.at(number)
}

/** Throws CelError if there is no such entry. */
export function entryAt(map: CelMap, key: Value): Value {
  const value = map.get(key)
  if (value === undefined) throw noSuchKey(showValue(key))
  return value
}

/** Throws CelError. */
export function select(operand: Value, field: string): Value {
  if (operand instanceof CelMap || operand instanceof CelObject) {
    const value = operand.get(field)
    if (value === undefined) throw noSuchKey(field)
    return value
  }
  if (operand instanceof Optional) return selectOptional(operand, field)
  throw noSuchOverload()
}

export function selectOptional(operand: Value, field: string): Optional {
  if (operand instanceof Optional) return operand.value === undefined ? NONE : selectOptional(operand.value, field)
  if (operand instanceof CelMap || operand instanceof CelObject) {
    const value = operand.get(field)
    return value === undefined ? NONE : new Optional(value)
  }
  throw noSuchOverload()
}

export function indexOptional(operand: Value, index: Value): Optional {
  if (operand instanceof Optional) return operand.value === undefined ? NONE : indexOptional(operand.value, index)
  if (operand instanceof CelObject) return selectOptional(operand, fieldName(index))
  if (!(operand instanceof CelList || operand instanceof CelMap)) throw noSuchOverload()
  const value = operand instanceof CelList ? itemIfAny(operand, index) : operand.get(index)
  return value === undefined ? NONE : new Optional(value)
}

export function fieldName(index: Value): string {
  if (typeof index !== 'string') throw noSuchOverload()
  return index
}

export function isPresent(operand: Value, field: string): boolean {
  if (operand instanceof CelMap || operand instanceof CelObject) return operand.has(field)
  if (operand instanceof Optional) return operand.value !== undefined && isPresent(operand.value, field)
  throw noSuchOverload()
}
