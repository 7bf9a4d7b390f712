/**
 * Counts what namespaces hold against their quotas. The API server itself counts up what is made; here everything is counted anew,
 * after anything came, went or ended, and from time to time. Source: kubernetes `pkg/controller/resourcequota`.
 */
import { resourceQuota as quotaKind } from '../../api/core/v1/resource-quota.ts'
import type { Pod, ResourceQuota } from '../../api/core/v1/types.gen.ts'
import { KINDS } from '../../api/kinds.gen.ts'
import { groupResource, type AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { isBeingDeleted, splitKey } from '../../machinery/object.ts'
import { totalUsage } from '../../machinery/quota/total.ts'
import { isQuotaCounted, isTerminal, quotaUsage } from '../../machinery/quota/usage.ts'
import { defineController, watch, type Change, type Watch } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'

const RESYNC = 5 * 60_000

export const resourceQuotaController = defineController({
  name: 'resourcequota-controller',
  create({ client, informers, clock }) {
    const quotas = informers.for(quotaKind)
    const counted = KINDS.filter(isCounted).map((kind) => ({ kind, informer: informers.for(kind) }))

    const quotasOf = (namespace: string) => quotas.list(namespace).map(({ metadata }) => `${namespace}/${metadata.name}`)
    const watches: Watch[] = [
      watch(quotas, (change) => (asksForCount(change) ? itself(change) : [])),
      ...counted.map(({ kind, informer }) =>
        watch(informer, (change) => (changesUsage(kind, change, clock.now()) ? quotasOf(change.object.metadata.namespace ?? '') : [])),
      ),
    ]

    return {
      watches,
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const quota = quotas.get(namespace, name)
        if (!quota || isBeingDeleted(quota)) return undefined
        const { spec, status } = quota
        const hard = spec.hard ?? {}
        const all = counted.map(({ kind, informer }) => ({ kind, objects: informer.list(namespace) }))
        const used = totalUsage(spec, all, clock.now())
        if (!semanticEqual(status, { hard, used })) {
          await client.update(quotaKind, { ...quota, status: { hard, used } }, { subresource: 'status' })
        }
        return { requeueAfter: RESYNC }
      },
    }
  },
})

/** Not when only its usage was counted up: what was made then may not be known here yet. */
function asksForCount({ object, old }: Change<ResourceQuota>): boolean {
  return !old || !semanticEqual(object.spec, old.spec) || !semanticEqual(object.status.hard ?? {}, object.spec.hard ?? {})
}

function isCounted(kind: AnyKind): boolean {
  return kind.namespaced && !kind.storedAs && kind.verbs.includes('list') && kind.verbs.includes('watch') && isQuotaCounted(kind)
}

function changesUsage(kind: AnyKind, { type, object, old }: Change<KubeObject>, now: number): boolean {
  if (type !== 'update') return true
  if (groupResource(kind) === 'pods' && isTerminal(object as Pod, now) !== isTerminal(old as Pod, now)) return true
  return !semanticEqual(quotaUsage(kind, object, now), quotaUsage(kind, old, now))
}
