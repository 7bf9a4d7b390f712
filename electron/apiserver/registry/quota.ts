/**
 * What is written must fit the quotas of its namespace, whose usage is counted up in the same transaction: what is refused, fails or
 * is a dry run counts for nothing. Counting down is left to a controller. Source: kubernetes `plugin/pkg/admission/resourcequota`.
 */
import type { ResourceQuota } from '../../api/core/v1/types.gen.ts'
import { groupResource } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Clock } from '../../base/clock.ts'
import { thaw } from '../../machinery/freeze.ts'
import { chargeQuota } from '../../machinery/quota/charge.ts'
import { isQuotaCounted } from '../../machinery/quota/usage.ts'
import { forbidden } from '../../machinery/status.ts'
import type { Compare, Op } from '../../store/store.ts'
import type { Resources } from '../resources.ts'
import type { Companions } from './guaranteed-update.ts'
import type { Call } from './registry.ts'

/** Updates that may take more than before. */
const GROWING = new Set(['services', 'persistentvolumeclaims', 'pods/resize'])

export class Quotas {
  readonly #resources: Resources
  readonly #clock: Clock

  constructor(resources: Resources, clock: Clock) {
    this.#resources = resources
    this.#clock = clock
  }

  /** `object` as it will be stored, `old` as it is or null. Throws Forbidden where a quota does not allow it. */
  async charge(call: Call, object: KubeObject, old: KubeObject | null): Promise<Companions | null> {
    const { kind } = call.resource
    if (!call.namespace || !isQuotaCounted(kind) || (old && !GROWING.has(subresourceName(call)))) return null
    const resource = this.#resources.find('', 'v1', 'resourcequotas')
    if (!resource) return null
    const { cache, layout } = resource.storage
    await cache.ready()
    const compare: Compare[] = []
    const ops: Op[] = []
    for (const known of cache.slice(resource.storage.scope(call.namespace))) {
      const { key } = known
      const entry = cache.newest(key) ?? known
      const quota = entry.object as ResourceQuota
      const charge = chargeQuota(quota, kind, object, old, this.#clock.now())
      if (charge.type === 'refused') throw forbidden(kind, object.metadata.name, charge.why)
      if (charge.type === 'none') continue
      const charged = thaw(quota)
      charged.status.used = charge.used
      compare.push({ key, target: 'mod', result: 'equal', operand: entry.revision })
      ops.push({ type: 'put', key, value: layout.encode(charged) })
    }
    return ops.length ? { compare, ops, refused: () => cache.fresh() } : null
  }
}

function subresourceName({ resource, subresource }: Call): string {
  return subresource ? `${groupResource(resource.kind)}/${subresource}` : groupResource(resource.kind)
}

/** Both in one transaction. */
export function together(one: Companions | null, other: Companions | null): Companions | null {
  if (!one || !other) return one ?? other
  return {
    compare: [...one.compare, ...other.compare],
    ops: [...one.ops, ...other.ops],
    async refused() {
      await one.refused()
      await other.refused()
    },
  }
}
