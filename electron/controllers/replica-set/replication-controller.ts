import { replicationController as replicationControllerKind } from '../../api/core/v1/replication-controller.ts'
import type { PodTemplateSpec, ReplicationController, ReplicationControllerCondition } from '../../api/core/v1/types.gen.ts'
import { NOTHING, selectorFromLabels } from '../../machinery/selector/label-selector.ts'
import { replicaController } from './replica-controller.ts'

/** Validation does not let a controller without a template in. */
const NO_TEMPLATE: PodTemplateSpec = { metadata: {}, spec: { containers: [] } }

export const replicationController = replicaController<ReplicationController>({
  kind: replicationControllerKind,
  name: 'replicationcontroller-controller',
  component: 'replication-controller',
  countsTerminating: false,
  specOf: ({ spec }) => ({
    replicas: spec.replicas,
    minReadySeconds: spec.minReadySeconds,
    selector: Object.keys(spec.selector ?? {}).length > 0 ? selectorFromLabels(spec.selector) : NOTHING,
    template: spec.template ?? NO_TEMPLATE,
  }),
  statusOf: ({ status }) => status,
  withStatus(object, status) {
    const { conditions, terminatingReplicas: _, ...counts } = status
    return { ...object, status: { ...counts, ...(conditions ? { conditions: conditions as ReplicationControllerCondition[] } : {}) } }
  },
})
