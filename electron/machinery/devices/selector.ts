/** Expressions that select devices. Source: kubernetes `dynamic-resource-allocation/cel/compile.go`. */
import type { Device, DeviceAttribute, DeviceCapacity } from '../../api/resource/v1/types.gen.ts'
import { BINDINGS } from '../cel/environment.ts'
import { CelError } from '../cel/errors.ts'
import { quantityValue, QUANTITY_TYPE } from '../cel/library/kubernetes/quantity.ts'
import { kubernetesEnvironment } from '../cel/library/kubernetes/kubernetes.ts'
import { semverValue } from '../cel/library/kubernetes/semver.ts'
import type { Program } from '../cel/program.ts'
import { BOOL, DYN, mapOf, objectType, STRING, type CelType, type FieldType } from '../cel/types.ts'
import { CelMap, ValueList, ValueMap, ValueObject, type Value } from '../cel/values.ts'
import { splitName } from './attributes.ts'

const FIELDS: Readonly<Record<string, CelType>> = {
  driver: STRING,
  attributes: mapOf(STRING, mapOf(STRING, DYN)),
  capacity: mapOf(STRING, mapOf(STRING, QUANTITY_TYPE)),
  allowMultipleAllocations: BOOL,
}
const DEVICE = objectType('kubernetes.DRADevice', (name): FieldType | undefined => {
  const type = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined
  return type && { type, property: name }
})
const environment = kubernetesEnvironment(BINDINGS).extend({ variables: { device: DEVICE }, types: [DEVICE] })

export type CompiledSelector =
  | { readonly matches: (device: Device, driver: string) => boolean; readonly error?: undefined }
  | { readonly matches?: undefined; readonly error: string }

/** `matches` throws CelError and BudgetError for devices that the expression cannot be answered for. */
export function compileSelector(expression: string): CompiledSelector {
  const { program, message } = environment.compile(expression)
  if (!program) return { error: `compilation failed: ${message}` }
  if (program.type.kind !== 'bool' && program.type.kind !== 'dyn') return { error: 'must evaluate to bool' }
  return { matches: (device, driver) => evaluate(program, device, driver) }
}

function evaluate(program: Program, device: Device, driver: string): boolean {
  const answer = program.evaluate({ device: deviceValue(device, driver) })
  if (typeof answer !== 'boolean') throw new CelError('CEL result of type bool expected')
  return answer
}

function deviceValue({ attributes = {}, capacity = {}, allowMultipleAllocations = false }: Device, driver: string): Value {
  const values = new Map<string, Value>([
    ['driver', driver],
    ['attributes', new ByDomain(attributes, driver, attributeValue)],
    ['capacity', new ByDomain(capacity, driver, ({ value }: DeviceCapacity) => quantityValue(value))],
    ['allowMultipleAllocations', allowMultipleAllocations],
  ])
  return new ValueObject(DEVICE, values)
}

function attributeValue({ bool, int, string, version, bools, ints, strings, versions }: DeviceAttribute): Value {
  if (bool !== undefined) return bool
  if (int !== undefined) return BigInt(int)
  if (string !== undefined) return string
  if (version !== undefined) return semverValue(version)
  if (bools) return new ValueList(bools)
  if (ints) return new ValueList(ints.map(BigInt))
  if (strings) return new ValueList(strings)
  if (versions) return new ValueList(versions.map(semverValue))
  throw new CelError('unsupported attribute value')
}

/** A domain that the device has nothing of is an empty map, so that expressions need not ask for it first. */
class ByDomain<T> extends CelMap {
  readonly #domains = new Map<string, [string, Value][]>()

  constructor(items: Readonly<Record<string, T>>, driver: string, convert: (item: T) => Value) {
    super()
    for (const [qualified, item] of Object.entries(items)) {
      const [domain, name] = splitName(qualified, driver)
      const known = this.#domains.get(domain)
      if (known) known.push([name, convert(item)])
      else this.#domains.set(domain, [[name, convert(item)]])
    }
  }
  get size(): number {
    return this.#domains.size
  }
  get(key: Value): Value | undefined {
    return typeof key === 'string' ? new ValueMap(this.#domains.get(key) ?? []) : undefined
  }
  override has(key: Value): boolean {
    return typeof key === 'string' && this.#domains.has(key)
  }
  keys(): Iterable<string> {
    return this.#domains.keys()
  }
}
