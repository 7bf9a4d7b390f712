/** Checks of requests for devices. Source: kubernetes `apis/resource/validation`, KEP-4381. */
import { positive } from '../../meta/v1/validation.ts'
import {
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
  tooLong,
  tooMany,
  type FieldError,
} from '../../values/field-error.ts'
import { byteLength, dns1123Label, dns1123Subdomain } from '../../values/names.ts'
import type {
  DeviceClaim,
  DeviceConstraint,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  DeviceToleration,
  ExactDeviceRequest,
  OpaqueDeviceConfiguration,
} from './types.gen.ts'

const MAX_ITEMS = 32
const MAX_ALTERNATIVES = 8
const MAX_EXPRESSION = 10 * 1024
const MAX_DRIVER = 63
const MODES = ['All', 'ExactCount']
export const DEVICE_EFFECTS: readonly string[] = ['NoExecute', 'NoSchedule', 'None']

export function atMost(field: string, items: readonly unknown[], max = MAX_ITEMS): FieldError[] {
  return items.length > max ? [tooMany(field, items.length, max)] : []
}

export function driverName(name: string, field: string): FieldError[] {
  if (!name) return [required(field)]
  return [...(byteLength(name) > MAX_DRIVER ? [tooLong(field, MAX_DRIVER)] : []), ...invalidEach(field, name, dns1123Subdomain(name))]
}

/** Parts like names of subdomains, with slashes between them. */
export function poolName(name: string, field: string): FieldError[] {
  return name ? name.split('/').flatMap((part) => invalidEach(field, part, dns1123Subdomain(part))) : [required(field)]
}

/** Of requests, and "request/alternative" of their alternatives. */
export function requestNames({ requests = [] }: DeviceClaim): ReadonlySet<string> {
  return new Set(requests.flatMap(({ name, firstAvailable = [] }) => [name, ...firstAvailable.map((sub) => `${name}/${sub.name}`)]))
}

export function validateSelectors(selectors: readonly DeviceSelector[], field: string): FieldError[] {
  const each = selectors.flatMap(({ cel }, i) => {
    const at = `${field}[${i}].cel`
    if (!cel) return [required(at)]
    if (!cel.expression) return [required(`${at}.expression`)]
    return byteLength(cel.expression) > MAX_EXPRESSION ? [tooLong(`${at}.expression`, MAX_EXPRESSION)] : []
  })
  return [...atMost(field, selectors), ...each]
}

export function validateOpaque(opaque: OpaqueDeviceConfiguration | undefined, field: string): FieldError[] {
  if (!opaque) return [required(field)]
  const { driver, parameters } = opaque as Partial<OpaqueDeviceConfiguration>
  return [...driverName(driver ?? '', `${field}.driver`), ...(parameters ? [] : [required(`${field}.parameters`)])]
}

export function defaultClaim({ requests = [] }: DeviceClaim): void {
  for (const { exactly, firstAvailable = [] } of requests) {
    for (const request of [...(exactly ? [exactly] : []), ...firstAvailable]) {
      request.allocationMode ??= 'ExactCount'
      if (request.allocationMode === 'ExactCount') request.count ||= 1
      for (const toleration of request.tolerations ?? []) toleration.operator ||= 'Equal'
    }
  }
}

export function validateClaim({ requests = [], constraints = [], config = [] }: DeviceClaim, field: string): FieldError[] {
  const names = requestNames({ requests })
  return [
    ...atMost(`${field}.requests`, requests),
    ...requests.flatMap((request, i) => validateRequest(request, requests, i, `${field}.requests[${i}]`)),
    ...atMost(`${field}.constraints`, constraints),
    ...constraints.flatMap((constraint, i) => validateConstraint(constraint, names, `${field}.constraints[${i}]`)),
    ...atMost(`${field}.config`, config),
    ...config.flatMap((one, i) => [
      ...known(one.requests ?? [], names, `${field}.config[${i}].requests`),
      ...validateOpaque(one.opaque, `${field}.config[${i}].opaque`),
    ]),
  ]
}

function validateRequest(request: DeviceRequest, all: readonly DeviceRequest[], index: number, field: string): FieldError[] {
  const { name, exactly, firstAvailable = [] } = request
  const out = invalidEach(`${field}.name`, name, dns1123Label(name))
  if (all.findIndex((one) => one.name === name) < index) out.push(duplicate(`${field}.name`, name))
  if (exactly && firstAvailable.length) return [...out, invalid(field, request, 'exactly one of `exactly` or `firstAvailable` is allowed')]
  if (exactly) return [...out, ...validateExact(exactly, `${field}.exactly`)]
  if (!firstAvailable.length) return [...out, required(field, 'exactly one of `exactly` or `firstAvailable` is required')]
  const at = `${field}.firstAvailable`
  const each = firstAvailable.flatMap((sub, i) => {
    const twice = firstAvailable.findIndex((one) => one.name === sub.name) < i
    return [
      ...invalidEach(`${at}[${i}].name`, sub.name, dns1123Label(sub.name)),
      ...(twice ? [duplicate(`${at}[${i}].name`, sub.name)] : []),
      ...validateExact(sub, `${at}[${i}]`),
    ]
  })
  return [...out, ...atMost(at, firstAvailable, MAX_ALTERNATIVES), ...each]
}

function validateExact(request: ExactDeviceRequest | DeviceSubRequest, field: string): FieldError[] {
  const { deviceClassName: name, selectors = [], allocationMode: mode = 'ExactCount', count = 0, tolerations = [] } = request
  const out = name ? invalidEach(`${field}.deviceClassName`, name, dns1123Subdomain(name)) : [required(`${field}.deviceClassName`)]
  if (!MODES.includes(mode)) out.push(notSupported(`${field}.allocationMode`, mode, MODES))
  else if (mode === 'ExactCount') out.push(...positive(`${field}.count`, count))
  else if (count) out.push(invalid(`${field}.count`, count, `must not be specified when allocationMode is '${mode}'`))
  return [
    ...out,
    ...validateSelectors(selectors, `${field}.selectors`),
    ...tolerations.flatMap((toleration, i) => validateToleration(toleration, `${field}.tolerations[${i}]`)),
  ]
}

function validateToleration({ key, operator, value, effect }: DeviceToleration, field: string): FieldError[] {
  const out: FieldError[] = []
  if (operator === 'Exists' && value) out.push(invalid(`${field}.value`, value, 'must be empty for operator `Exists`'))
  if (operator !== 'Exists' && operator !== 'Equal') out.push(notSupported(`${field}.operator`, operator, ['Equal', 'Exists']))
  if (!key && operator !== 'Exists') out.push(required(`${field}.key`))
  if (effect !== undefined && !DEVICE_EFFECTS.includes(effect)) out.push(notSupported(`${field}.effect`, effect, DEVICE_EFFECTS))
  return out
}

function validateConstraint(constraint: DeviceConstraint, names: ReadonlySet<string>, field: string): FieldError[] {
  const { matchAttribute, distinctAttribute, requests = [] } = constraint
  const out = known(requests, names, `${field}.requests`)
  if (matchAttribute !== undefined && distinctAttribute !== undefined)
    out.push(forbidden(field, 'only one of `matchAttribute` and `distinctAttribute` may be specified'))
  else if (!matchAttribute && !distinctAttribute) out.push(required(`${field}.matchAttribute`))
  return out
}

/** Names of requests that there are. */
function known(requests: readonly string[], names: ReadonlySet<string>, field: string): FieldError[] {
  const each = requests.flatMap((name, i) => {
    const at = `${field}[${i}]`
    if (!names.has(name))
      return [
        invalid(at, name, 'must be the name of a request in the claim or the name of a request and a subrequest separated by a slash'),
      ]
    return requests.indexOf(name) < i ? [duplicate(at, name)] : []
  })
  return [...atMost(field, requests), ...each]
}
