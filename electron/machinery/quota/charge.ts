/** What a write means for one quota. Source: kubernetes `plugin/pkg/admission/resourcequota` CheckRequest. */
import { addResources, type ResourceList } from '../../api/core/v1/pod-resources.ts'
import type { Pod, ResourceQuota } from '../../api/core/v1/types.gen.ts'
import { groupResource } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { addQuantity, compareQuantity, formatQuantity, subQuantity } from '../../api/values/quantity.ts'
import { computeUsage, quotaUsage } from './usage.ts'
import { quotaCovers } from './scopes.ts'

/** What every container must say under a quota on it. */
const TO_BE_SAID = ['cpu', 'limits.cpu', 'limits.memory', 'memory', 'requests.cpu', 'requests.memory']

export type Charge =
  | { readonly type: 'none' }
  /** The quota's `status.used` with the write. */
  | { readonly type: 'charged'; readonly used: ResourceList }
  /** `why` is for the message of a refusal. */
  | { readonly type: 'refused'; readonly why: string }

const NONE: Charge = { type: 'none' }

/** Counts against what the status says is allowed; a quota that nobody counted yet allows everything. */
export function chargeQuota(
  quota: ResourceQuota,
  kind: { group: string; resource: string },
  object: KubeObject,
  old: KubeObject | null,
  now: number,
): Charge {
  const { metadata, spec, status } = quota
  if (!quotaCovers(spec, kind, object)) return NONE
  const { hard = {}, used = {} } = status
  const usage = quotaUsage(kind, object, now)
  const limited = Object.keys(hard)
  const missing = old || groupResource(kind) !== 'pods' ? [] : unsaid(object as Pod, limited)
  if (missing.length) return { type: 'refused', why: `failed quota: ${metadata.name}: must specify ${missing.join('; ')}` }

  const before = old ? quotaUsage(kind, old, now) : {}
  const delta: ResourceList = {}
  for (const name of limited) {
    const more = subQuantity(usage[name] ?? '0', before[name] ?? '0')
    if (more.unscaled !== 0n) delta[name] = formatQuantity(more)
  }
  const names = Object.keys(delta)
  if (!names.some((name) => compareQuantity(delta[name] ?? '0', '0') > 0)) return NONE
  const unknown = names.filter((name) => !(name in used)).sort()
  if (unknown.length) return { type: 'refused', why: `status unknown for quota: ${metadata.name}, resources: ${unknown.join(',')}` }
  const exceeded = names.filter((name) => compareQuantity(addQuantity(used[name] ?? '0', delta[name] ?? '0'), hard[name] ?? '0') > 0)
  if (exceeded.length) {
    const shown = (list: Readonly<ResourceList>) =>
      exceeded
        .sort()
        .map((name) => `${name}=${list[name]}`)
        .join(',')
    const why = `exceeded quota: ${metadata.name}, requested: ${shown(delta)}, used: ${shown(used)}, limited: ${shown(hard)}`
    return { type: 'refused', why }
  }
  const after = { ...used }
  addResources(after, delta)
  return { type: 'charged', used: after }
}

/** "cpu for: app,helper" for each resource that some container leaves open. */
function unsaid({ spec }: Pod, limited: readonly string[]): string[] {
  const ofPod = computeUsage(spec.resources ?? {})
  return TO_BE_SAID.filter((name) => limited.includes(name) && !(name in ofPod)).flatMap((name) => {
    const silent = [...spec.containers, ...(spec.initContainers ?? [])].filter(({ resources }) => !(name in computeUsage(resources)))
    return silent.length ? [`${name} for: ${silent.map((container) => container.name).join(',')}`] : []
  })
}
