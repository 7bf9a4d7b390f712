import { createdAtColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { duplicate, forbidden, invalid, invalidEach, required, type FieldError } from '../../values/field-error.ts'
import { qualifiedName } from '../../values/names.ts'
import { compareQuantity, toMilli, tryQuantity } from '../../values/quantity.ts'
import { validateContainerResourceName, validateResourceName } from './pod-spec/resources.ts'
import { defaultResourceList } from './resource-list.ts'
import { isOvercommitAllowed } from './resource-names.ts'
import type { LimitRange, LimitRangeItem } from './types.gen.ts'

const TYPES = ['Pod', 'Container', 'PersistentVolumeClaim']
const LISTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

export const limitRange = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  resource: 'limitranges',
  shortNames: ['limits'],
  namespaced: true,
  model: 'io.k8s.api.core.v1.LimitRange',
  columns: [createdAtColumn],
  strategy: {
    defaults({ spec }) {
      for (const item of spec.limits ?? []) defaultItem(item)
    },
    validate({ spec }) {
      const limits = spec.limits ?? []
      return limits.flatMap((item, i) => {
        const at = `spec.limits[${i}]`
        const again = limits.findIndex(({ type }) => type === item.type) < i
        return [...validateType(item.type, `${at}.type`), ...(again ? [duplicate(`${at}.type`, item.type)] : []), ...validateItem(item, at)]
      })
    },
    allowCreateOnUpdate: true,
  },
})

/** Of a container: the limit is the most that is allowed, and the request the limit, or else the least. */
function defaultItem(item: LimitRangeItem): void {
  for (const list of LISTS) defaultResourceList(item[list])
  if (item.type !== 'Container') return
  if (item.max) item.default = { ...item.max, ...item.default }
  if (item.default || item.min) item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest }
}

function validateType(type: string, field: string): FieldError[] {
  const out = invalidEach(field, type, qualifiedName(type))
  if (out.length || type.includes('/') || TYPES.includes(type)) return out
  return [invalid(field, type, 'must be a standard limit type or fully qualified')]
}

function validateItem(item: LimitRangeItem, at: string): FieldError[] {
  const rule = item.type === 'Pod' || item.type === 'Container' ? validateContainerResourceName : validateResourceName
  const out: FieldError[] = []
  const names = new Set<string>()
  for (const list of LISTS) {
    const quantities = Object.keys(item[list] ?? {})
    if (item.type === 'Pod' && (list === 'default' || list === 'defaultRequest')) {
      if (quantities.length) out.push(forbidden(`${at}.${list}`, "may not be specified when `type` is 'Pod'"))
      continue
    }
    for (const name of quantities) {
      out.push(...rule(name, `${at}.${list}[${name}]`))
      names.add(name)
    }
  }
  if (item.type === 'PersistentVolumeClaim' && !item.min?.['storage'] && !item.max?.['storage']) {
    out.push(required(`${at}.limits`, 'either minimum or maximum storage value is required, but neither was provided'))
  }
  for (const name of names) out.push(...validateResource(item, name, at))
  return out
}

/** That the amounts of one resource fit each other. */
function validateResource(item: LimitRangeItem, name: string, at: string): FieldError[] {
  const ofPod = item.type === 'Pod'
  const { [name]: min } = item.min ?? {}
  const { [name]: max } = item.max ?? {}
  const limit = ofPod ? undefined : item.default?.[name]
  const request = ofPod ? undefined : item.defaultRequest?.[name]
  const ratio = item.maxLimitRequestRatio?.[name]
  if ([min, max, limit, request, ratio].some((quantity) => quantity !== undefined && !tryQuantity(quantity))) return []
  const out: FieldError[] = []
  const order = (
    a: string | undefined,
    b: string | undefined,
    list: string,
    shown: string | undefined,
    words: readonly [string, string],
  ) => {
    if (a === undefined || b === undefined || compareQuantity(a, b) <= 0) return
    out.push(invalid(`${at}.${list}[${name}]`, shown, `${words[0]} value ${a} is greater than ${words[1]} value ${b}`))
  }
  order(min, max, 'min', min, ['min', 'max'])
  order(min, request, 'defaultRequest', request, ['min', 'default request'])
  order(request, max, 'defaultRequest', request, ['default request', 'max'])
  order(request, limit, 'defaultRequest', request, ['default request', 'default limit'])
  order(min, limit, 'default', min, ['min', 'default'])
  order(limit, max, 'default', max, ['default', 'max'])
  out.push(...validateRatio(ratio, min, max, `${at}.maxLimitRequestRatio[${name}]`))
  if (!isOvercommitAllowed(name) && limit !== undefined && request !== undefined && compareQuantity(limit, request) !== 0) {
    const why = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`
    out.push(invalid(`${at}.defaultRequest[${name}]`, request, why))
  }
  return out
}

function validateRatio(ratio: string | undefined, min: string | undefined, max: string | undefined, field: string): FieldError[] {
  if (ratio === undefined) return []
  const out = compareQuantity(ratio, '1') < 0 ? [invalid(field, ratio, `ratio ${ratio} is less than 1`)] : []
  if (min === undefined || max === undefined) return out
  const most = toMilli(max) / toMilli(min)
  if (toMilli(ratio) / 1000 <= most) return out
  return [...out, invalid(field, ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`)]
}
