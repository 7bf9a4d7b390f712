/** The scale subresource: an autoscaling/v1 Scale over the parent's replicas. */
import { scale as scaleKind } from '../../api/autoscaling/v1/scale.ts'
import type { Scale } from '../../api/autoscaling/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { LabelSelector } from '../../api/meta/v1/types.gen.ts'
import { selectorFromLabels, selectorFromObject } from '../../machinery/selector/label-selector.ts'
import { invalidObject } from '../../machinery/status.ts'
import type { Subresource } from '../registry/subresource.ts'

type Scalable = KubeObject & {
  spec: { replicas?: number; selector?: Partial<LabelSelector> | Record<string, string> }
  status?: { replicas?: number }
}

export const scale: Subresource = {
  kind: scaleKind,
  part: 'main',
  read(parent) {
    const { metadata, spec, status } = parent as Scalable
    const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata
    const shown: Scale = {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name, ...(namespace ? { namespace } : {}), uid, resourceVersion, creationTimestamp },
      spec: { replicas: spec.replicas ?? 0 },
      status: { replicas: status?.replicas ?? 0 },
    }
    const selector = selectorText(parent.kind, spec.selector)
    if (selector) shown.status.selector = selector
    return shown
  },
  write(parent, sent) {
    const errors = scaleKind.strategy.validate?.(sent as Scale) ?? []
    if (errors.length > 0) throw invalidObject(scaleKind, sent.metadata.name, errors)
    ;(parent as Scalable).spec.replicas = (sent as Scale).spec.replicas
  },
}

function selectorText(kind: string, selector: Scalable['spec']['selector']): string {
  if (!selector) return ''
  if (kind === 'ReplicationController') return selectorFromLabels(selector as Record<string, string>).toString()
  return selectorFromObject(selector).toString()
}
