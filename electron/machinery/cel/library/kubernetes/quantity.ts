/** Quantities such as "1500m" or "2Gi". Source: apiserver `cel/library/quantity.go`. */
import {
  addQuantity,
  compareQuantity,
  parseQuantity,
  quantityOf,
  subQuantity,
  tryQuantity,
  type ParsedQuantity,
} from '../../../../api/values/quantity.ts'
import { CelError } from '../../errors.ts'
import { define, global, method, type FunctionDeclaration } from '../../functions.ts'
import { BOOL, DOUBLE, INT, STRING, opaque } from '../../types.ts'
import { MAX_INT, MIN_INT, Opaque } from '../../values.ts'

export const QUANTITY_TYPE = opaque('kubernetes.Quantity')

class Quantity extends Opaque {
  readonly type = QUANTITY_TYPE
  readonly value: ParsedQuantity
  constructor(value: ParsedQuantity) {
    super()
    this.value = value
  }
  equals(other: Opaque): boolean {
    return other instanceof Quantity && compareQuantity(this.value, other.value) === 0
  }
}

/** The value of `quantity(text)`. Throws CelError. */
export function quantityValue(text: string): Quantity {
  try {
    return new Quantity(parseQuantity(text))
  } catch (error) {
    throw new CelError((error as Error).message)
  }
}

/** Null if it is no whole number of 64 bits. */
function whole({ value: { unscaled, exponent } }: Quantity): bigint | null {
  const divisor = 10n ** BigInt(Math.max(0, -exponent))
  if (unscaled % divisor !== 0n) return null
  const value = (unscaled / divisor) * 10n ** BigInt(Math.max(0, exponent))
  return value < MIN_INT || value > MAX_INT ? null : value
}

function asInteger(quantity: Quantity): bigint {
  const value = whole(quantity)
  if (value === null) throw new CelError('cannot convert value to integer')
  return value
}

const compared = (a: Quantity, b: Quantity) => compareQuantity(a.value, b.value)
const plus = (a: Quantity, b: ParsedQuantity) => new Quantity(addQuantity(a.value, b))
const minus = (a: Quantity, b: ParsedQuantity) => new Quantity(subQuantity(a.value, b))

export const QUANTITY_FUNCTIONS: readonly FunctionDeclaration[] = [
  define('quantity', global('string_to_quantity', [STRING], QUANTITY_TYPE, quantityValue)),
  define(
    'isQuantity',
    global('is_quantity_string', [STRING], BOOL, (text: string) => tryQuantity(text) !== null),
  ),
  define(
    'sign',
    global('quantity_sign', [QUANTITY_TYPE], INT, (a: Quantity) => BigInt(Math.sign(compareQuantity(a.value, '0')))),
  ),
  define(
    'isGreaterThan',
    method('quantity_is_greater_than', [QUANTITY_TYPE, QUANTITY_TYPE], BOOL, (a: Quantity, b: Quantity) => compared(a, b) > 0),
  ),
  define(
    'isLessThan',
    method('quantity_is_less_than', [QUANTITY_TYPE, QUANTITY_TYPE], BOOL, (a: Quantity, b: Quantity) => compared(a, b) < 0),
  ),
  define(
    'compareTo',
    method('quantity_compare_to', [QUANTITY_TYPE, QUANTITY_TYPE], INT, (a: Quantity, b: Quantity) => BigInt(compared(a, b))),
  ),
  define('asApproximateFloat', method('quantity_get_float', [QUANTITY_TYPE], DOUBLE, approximate)),
  define('asInteger', method('quantity_get_int', [QUANTITY_TYPE], INT, asInteger)),
  define(
    'isInteger',
    method('quantity_is_integer', [QUANTITY_TYPE], BOOL, (a: Quantity) => whole(a) !== null),
  ),
  define(
    'add',
    method('quantity_add', [QUANTITY_TYPE, QUANTITY_TYPE], QUANTITY_TYPE, (a: Quantity, b: Quantity) => plus(a, b.value)),
    method('quantity_add_int', [QUANTITY_TYPE, INT], QUANTITY_TYPE, (a: Quantity, b: bigint) => plus(a, quantityOf(b))),
  ),
  define(
    'sub',
    method('quantity_sub', [QUANTITY_TYPE, QUANTITY_TYPE], QUANTITY_TYPE, (a: Quantity, b: Quantity) => minus(a, b.value)),
    method('quantity_sub_int', [QUANTITY_TYPE, INT], QUANTITY_TYPE, (a: Quantity, b: bigint) => minus(a, quantityOf(b))),
  ),
]

function approximate({ value: { unscaled, exponent } }: Quantity): number {
  return Number(`${unscaled}e${exponent}`)
}
