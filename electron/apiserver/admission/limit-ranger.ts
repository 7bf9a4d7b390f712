/**
 * A namespace's LimitRanges give containers their resources where they say none, and keep pods and claims between bounds.
 * Source: kubernetes `plugin/pkg/admission/limitranger`.
 */
import { aggregateContainerResources } from '../../api/core/v1/pod-resources.ts'
import { isSidecar } from '../../api/core/v1/pod-spec/visit.ts'
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
  ResourceRequirements,
} from '../../api/core/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { compareQuantity, toMilli } from '../../api/values/quantity.ts'
import { forbidden } from '../../machinery/status.ts'
import type { Lookup } from '../registry/lookup.ts'
import type { AdmissionRequest } from '../types.ts'
import type { AdmissionPlugin } from './admission.ts'

const LIMIT_RANGES = { group: '', version: 'v1', resource: 'limitranges' }
const ANNOTATION = 'kubernetes.io/limit-ranger'

type Amounts = Readonly<Record<string, string>>

export function limitRanger(lookup: Lookup): AdmissionPlugin {
  const itemsOf = async (namespace: string) =>
    (await lookup.list<LimitRange>(LIMIT_RANGES, namespace)).flatMap(({ spec }) => spec.limits ?? [])
  return {
    name: 'LimitRanger',
    handles({ operation, kind, subresource }) {
      if (kind.group !== '' || (operation !== 'CREATE' && operation !== 'UPDATE')) return false
      if (kind.resource === 'persistentvolumeclaims') return subresource === ''
      // A pod's resources change by resizing only.
      return kind.resource === 'pods' && (operation === 'CREATE' ? subresource === '' : subresource === 'resize')
    },
    async admit({ operation, kind, namespace, object }) {
      if (kind.resource !== 'pods' || operation !== 'CREATE') return
      for (const item of await itemsOf(namespace)) if (item.type === 'Container') addDefaults(object as Pod, item)
    },
    async validate(request) {
      const items = await itemsOf(request.namespace)
      const errors = items.flatMap((item) => faults(request, item))
      if (!errors.length) return
      const { kind, name } = request
      throw forbidden(kind, name, errors.length === 1 ? String(errors[0]) : `[${errors.join(', ')}]`)
    },
  }
}

function addDefaults(pod: Pod, item: LimitRangeItem): void {
  const said: string[] = []
  const fill = (container: Container, what: string, init: boolean) => {
    const own = container.resources
    for (const [which, amounts] of [
      ['request', item.defaultRequest],
      ['limit', item.default],
    ] as const) {
      const missing = Object.entries(amounts ?? {}).filter(([name]) => own[`${which}s`]?.[name] === undefined)
      if (!missing.length) continue
      own[`${which}s`] = { ...own[`${which}s`], ...Object.fromEntries(missing) }
      const names = missing.map(([name]) => name).sort()
      said.push(`${names.join(', ')} ${which} for ${init ? 'init ' : ''}${what} ${container.name}`)
    }
  }
  for (const container of pod.spec.containers) fill(container, 'container', false)
  for (const container of pod.spec.initContainers ?? []) fill(container, 'container', true)
  if (!said.length) return
  pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${said.join('; ')}` }
}

function faults(request: AdmissionRequest, item: LimitRangeItem): string[] {
  if (request.kind.resource === 'persistentvolumeclaims') {
    if (item.type !== 'PersistentVolumeClaim') return []
    const { spec } = request.object as PersistentVolumeClaim
    const old = request.old as PersistentVolumeClaim | null
    if (old && semanticEqual(old.spec.resources, spec.resources)) return []
    return claimFaults(spec.resources?.requests?.['storage'], item)
  }
  const { spec } = request.object as Pod
  if (item.type === 'Container') {
    const all = [...spec.containers, ...(spec.initContainers ?? [])]
    return all.flatMap(({ resources }) => boundFaults(resources, item))
  }
  if (item.type !== 'Pod') return []
  const ofPod = (which: 'requests' | 'limits') => ({ ...aggregateContainerResources(spec, which), ...spec.resources?.[which] })
  // A sum is a limit only if every container has one.
  const limited = (name: string) =>
    spec.resources?.limits?.[name] !== undefined ||
    [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)].every(({ resources }) => resources.limits?.[name] !== undefined)
  const limits = Object.fromEntries(Object.entries(ofPod('limits')).filter(([name]) => limited(name)))
  return boundFaults({ requests: ofPod('requests'), limits }, item)
}

function boundFaults({ requests = {}, limits = {} }: ResourceRequirements, item: LimitRangeItem): string[] {
  const { type } = item
  const out: string[] = []
  for (const [name, min] of Object.entries(item.min ?? {})) {
    const bound = `minimum ${name} usage per ${type} is ${min}`
    const request = requests[name]
    if (request === undefined) out.push(`${bound}.  No request is specified`)
    else if (compareQuantity(request, min) < 0) out.push(`${bound}, but request is ${request}`)
    else if (limits[name] !== undefined && compareQuantity(limits[name], min) < 0) out.push(`${bound}, but limit is ${limits[name]}`)
  }
  for (const [name, max] of Object.entries(item.max ?? {})) {
    const bound = `maximum ${name} usage per ${type} is ${max}`
    const limit = limits[name]
    if (limit === undefined) out.push(`${bound}.  No limit is specified`)
    else if (compareQuantity(limit, max) > 0) out.push(`${bound}, but limit is ${limit}`)
    else if (requests[name] !== undefined && compareQuantity(requests[name], max) > 0)
      out.push(`${bound}, but request is ${requests[name]}`)
  }
  return [...out, ...ratioFaults(requests, limits, item)]
}

function ratioFaults(requests: Amounts, limits: Amounts, { type, maxLimitRequestRatio = {} }: LimitRangeItem): string[] {
  return Object.entries(maxLimitRequestRatio).flatMap(([name, ratio]) => {
    const bound = `${name} max limit to request ratio per ${type} is ${ratio}`
    const [request, limit] = [toMilli(requests[name] ?? '0'), toMilli(limits[name] ?? '0')]
    if (!request) return [`${bound}, but no request is specified or request is 0`]
    if (!limit) return [`${bound}, but no limit is specified or limit is 0`]
    return limit / request > toMilli(ratio) / 1000 ? [`${bound}, but provided ratio is ${(limit / request).toFixed(6)}`] : []
  })
}

function claimFaults(request: string | undefined, { min, max }: LimitRangeItem): string[] {
  const of = (bound: string, amount: string) => `${bound} storage usage per PersistentVolumeClaim is ${amount}`
  const [least, most] = [min?.['storage'], max?.['storage']]
  const out: string[] = []
  if (least !== undefined) {
    if (request === undefined) out.push(`${of('minimum', least)}.  No request is specified`)
    else if (compareQuantity(request, least) < 0) out.push(`${of('minimum', least)}, but request is ${request}`)
  }
  if (most !== undefined) {
    if (request === undefined) out.push(`${of('maximum', most)}.  No request is specified`)
    else if (compareQuantity(request, most) > 0) out.push(`${of('maximum', most)}, but request is ${request}`)
  }
  return out
}
