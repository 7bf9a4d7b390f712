/** The scale subresource of a custom resource: its numbers are where the definition says. */
import { scale as scaleKind } from '../../api/autoscaling/v1/scale.ts'
import type { Scale } from '../../api/autoscaling/v1/types.gen.ts'
import type { CustomResourceSubresourceScale } from '../../api/apiextensions/v1/types.gen.ts'
import { internal, invalidObject } from '../../machinery/status.ts'
import type { Subresource } from '../registry/subresource.ts'
import { readSimple, writeSimple } from './json-path.ts'

export function customScale({ specReplicasPath, statusReplicasPath, labelSelectorPath }: CustomResourceSubresourceScale): Subresource {
  const wanted = readSimple(specReplicasPath)
  const found = readSimple(statusReplicasPath)
  const selects = labelSelectorPath ? readSimple(labelSelectorPath) : () => undefined
  return {
    kind: scaleKind,
    part: 'main',
    read(parent) {
      const { name, namespace, uid, resourceVersion, creationTimestamp } = parent.metadata
      const replicas = wanted(parent)
      if (typeof replicas !== 'number')
        throw internal(new Error(`the spec replicas field ${JSON.stringify(specReplicasPath)} does not exist`))
      const [actual, selector] = [found(parent), selects(parent)]
      const shown: Scale = {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name, ...(namespace ? { namespace } : {}), uid, resourceVersion, creationTimestamp },
        spec: { replicas },
        status: { replicas: typeof actual === 'number' ? actual : 0 },
      }
      if (typeof selector === 'string' && selector) shown.status.selector = selector
      return shown
    },
    write(parent, sent) {
      const errors = scaleKind.strategy.validate?.(sent as Scale) ?? []
      if (errors.length > 0) throw invalidObject(scaleKind, sent.metadata.name, errors)
      writeSimple(specReplicasPath, parent, (sent as Scale).spec.replicas ?? 0)
    },
  }
}
