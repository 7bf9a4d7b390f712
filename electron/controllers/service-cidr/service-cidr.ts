/**
 * Shows where Services get their addresses from: the range of this cluster is the ServiceCIDR `kubernetes`. Others can be made and say
 * of themselves that nothing is taken from them. Source: kubernetes `pkg/controller/servicecidrs`, KEP-1880.
 */
import { serviceCIDR as cidrKind } from '../../api/networking/v1/service-cidr.ts'
import type { ServiceCIDR } from '../../api/networking/v1/types.gen.ts'
import type { Condition } from '../../api/meta/v1/types.gen.ts'
import { formatTime } from '../../api/values/time.ts'
import { setCondition } from '../../machinery/conditions.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { defineController, watch } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'

const DEFAULT = 'kubernetes'
const READY = { status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' } as const

export const serviceCidrController = defineController({
  name: 'service-cidr-controller',
  workers: 1,
  create({ client, clock, informers, options: { serviceCidr }, queue }) {
    if (serviceCidr === undefined) return null
    const cidrs = informers.for(cidrKind)

    const standingOf = ({ metadata, spec }: ServiceCIDR): Omit<Condition, 'type' | 'lastTransitionTime'> => {
      if (metadata.name === DEFAULT && spec.cidrs?.length === 1 && spec.cidrs[0] === serviceCidr) return READY
      const message = `this cluster takes the addresses of Services from ${serviceCidr} only`
      return { status: 'False', reason: 'NotSupported', message }
    }

    return {
      watches: [watch(cidrs, itself)],
      start: () => queue.add(DEFAULT),
      async reconcile(name) {
        const found = cidrs.get(undefined, name)
        if (!found) {
          if (name !== DEFAULT) return undefined
          await client.create(cidrKind, { metadata: { name }, spec: { cidrs: [serviceCidr] } }).catch((error: unknown) => {
            if (!hasReason(error, 'AlreadyExists')) throw error
          })
          return undefined
        }
        if (isBeingDeleted(found)) return undefined
        const now = formatTime(clock.now())
        const conditions = setCondition(found.status.conditions, { type: 'Ready', ...standingOf(found) }, now)
        if (conditions === found.status.conditions) return undefined
        await client.update(cidrKind, { ...found, status: { ...found.status, conditions: [...conditions] } }, { subresource: 'status' })
        return undefined
      },
    }
  },
})
