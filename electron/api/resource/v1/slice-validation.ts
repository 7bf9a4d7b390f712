/** Checks of what drivers publish. Source: kubernetes `apis/resource/validation`, `ValidateResourceSlice`. */
import { positive, nonNegative } from '../../meta/v1/validation.ts'
import { duplicate, forbidden, invalid, invalidEach, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { dns1123Label, qualifiedName, labelValueErrors } from '../../values/names.ts'
import { atMost, DEVICE_EFFECTS, poolName } from './device-validation.ts'
import type {
  CounterSet,
  Device,
  DeviceAttribute,
  DeviceCounterConsumption,
  DeviceTaint,
  ResourcePool,
  ResourceSliceSpec,
} from './types.gen.ts'

const MAX_DEVICES = 128
/** Of devices with taints or shared counters. */
const MAX_ELABORATE_DEVICES = 64
const MAX_PROPERTIES = 32
const MAX_TAINTS = 16
const MAX_COUNTER_SETS = 8
const MAX_COUNTERS = 32
const PLACES = ['nodeName', 'nodeSelector', 'allNodes', 'perDeviceNodeSelection'] as const
const OWN_PLACES = ['nodeName', 'nodeSelector', 'allNodes'] as const

export function validateSliceSpec(spec: ResourceSliceSpec, field: string): FieldError[] {
  const { devices = [], sharedCounters = [], pool, perDeviceNodeSelection = false } = spec
  const elaborate = devices.some(({ taints, consumesCounters }) => (taints?.length ?? 0) + (consumesCounters?.length ?? 0) > 0)
  const out = [...validatePool(pool, `${field}.pool`), ...exactlyOne(spec, PLACES, field)]
  if (devices.length > 0 && sharedCounters.length > 0)
    out.push(invalid(field, '{`devices`, `sharedCounters`}', 'only one of `devices` and `sharedCounters` may be set'))
  return [
    ...out,
    ...atMost(`${field}.devices`, devices, elaborate ? MAX_ELABORATE_DEVICES : MAX_DEVICES),
    ...devices.flatMap((device, i) => validateDevice(device, devices, i, perDeviceNodeSelection, `${field}.devices[${i}]`)),
    ...atMost(`${field}.sharedCounters`, sharedCounters, MAX_COUNTER_SETS),
    ...sharedCounters.flatMap((set, i) => validateCounterSet(set, sharedCounters, i, `${field}.sharedCounters[${i}]`)),
  ]
}

function validatePool({ name, generation, resourceSliceCount }: ResourcePool, field: string): FieldError[] {
  return [
    ...poolName(name, `${field}.name`),
    ...nonNegative(`${field}.generation`, generation),
    ...positive(`${field}.resourceSliceCount`, resourceSliceCount),
  ]
}

function exactlyOne<K extends string>(place: Partial<Record<K, unknown>>, names: readonly K[], field: string): FieldError[] {
  const said = names.filter((name) => place[name])
  const all = names.map((name) => `\`${name}\``).join(', ')
  if (!said.length) return [required(field, `exactly one of ${all} is required`)]
  return said.length > 1 ? [invalid(field, `{${said.map((name) => `\`${name}\``).join(', ')}}`, `exactly one of ${all} is required`)] : []
}

function validateDevice(device: Device, all: readonly Device[], index: number, ownPlace: boolean, field: string): FieldError[] {
  const { name, attributes = {}, capacity = {}, taints = [], consumesCounters = [] } = device
  const out = invalidEach(`${field}.name`, name, dns1123Label(name))
  if (all.findIndex((one) => one.name === name) < index) out.push(duplicate(`${field}.name`, name))
  const count = Object.keys(attributes).length + Object.keys(capacity).length
  if (count > MAX_PROPERTIES)
    out.push(invalid(field, count, `the total number of attributes and capacities must not exceed ${MAX_PROPERTIES}`))
  for (const [key, value] of Object.entries(attributes)) out.push(...validateAttribute(key, value, `${field}.attributes[${key}]`))
  for (const key of Object.keys(capacity)) out.push(...propertyName(key, `${field}.capacity[${key}]`))
  if (ownPlace) out.push(...exactlyOne(device, OWN_PLACES, field))
  else
    for (const place of OWN_PLACES) {
      if (device[place] !== undefined)
        out.push(
          forbidden(
            `${field}.${place}`,
            `\`${place}\` field may only be set if \`perDeviceNodeSelection\` is set to true in the ResourceSlice spec`,
          ),
        )
    }
  return [
    ...out,
    ...atMost(`${field}.taints`, taints, MAX_TAINTS),
    ...taints.flatMap((taint, i) => validateTaint(taint, `${field}.taints[${i}]`)),
    ...consumesCounters.flatMap((one, i) => validateConsumption(one, consumesCounters, i, `${field}.consumesCounters[${i}]`)),
  ]
}

/** "identifier" or "domain/identifier". */
function propertyName(name: string, field: string): FieldError[] {
  const identifier = name.slice(name.indexOf('/') + 1)
  const errors = /^[A-Za-z_][A-Za-z0-9_]{0,31}$/.test(identifier)
    ? []
    : [invalid(field, identifier, 'a valid C identifier of at most 32 characters is expected')]
  return name.includes('/') ? [...errors, ...invalidEach(field, name, qualifiedName(name))] : errors
}

function validateAttribute(key: string, value: DeviceAttribute, field: string): FieldError[] {
  const said = Object.keys(value).length
  const out = propertyName(key, field)
  if (said === 0) out.push(required(field, 'exactly one value must be specified'))
  if (said > 1) out.push(invalid(field, value, 'exactly one value must be specified'))
  return out
}

function validateTaint({ key, value = '', effect }: DeviceTaint, field: string): FieldError[] {
  return [
    ...(key ? invalidEach(`${field}.key`, key, qualifiedName(key)) : [required(`${field}.key`)]),
    ...invalidEach(`${field}.value`, value, labelValueErrors(value)),
    ...(DEVICE_EFFECTS.includes(effect) ? [] : [notSupported(`${field}.effect`, effect, DEVICE_EFFECTS)]),
  ]
}

function validateConsumption(
  { counterSet, counters }: DeviceCounterConsumption,
  all: readonly DeviceCounterConsumption[],
  index: number,
  field: string,
): FieldError[] {
  const out = counterSet ? invalidEach(`${field}.counterSet`, counterSet, dns1123Label(counterSet)) : [required(`${field}.counterSet`)]
  if (all.findIndex((one) => one.counterSet === counterSet) < index) out.push(duplicate(`${field}.counterSet`, counterSet))
  return [...out, ...validateCounters(counters, `${field}.counters`)]
}

function validateCounterSet({ name, counters }: CounterSet, all: readonly CounterSet[], index: number, field: string): FieldError[] {
  const out = name ? invalidEach(`${field}.name`, name, dns1123Label(name)) : [required(`${field}.name`)]
  if (all.findIndex((one) => one.name === name) < index) out.push(duplicate(`${field}.name`, name))
  return [...out, ...validateCounters(counters, `${field}.counters`)]
}

/** A map that was not sent is none. */
function validateCounters(counters: CounterSet['counters'] | undefined, field: string): FieldError[] {
  const names = Object.keys(counters ?? {})
  if (names.length === 0) return [required(field)]
  return [...atMost(field, names, MAX_COUNTERS), ...names.flatMap((name) => invalidEach(field, name, dns1123Label(name)))]
}
