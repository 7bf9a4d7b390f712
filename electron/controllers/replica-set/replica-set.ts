import { replicaSet as replicaSetKind } from '../../api/apps/v1/replica-set.ts'
import type { ReplicaSet, ReplicaSetCondition } from '../../api/apps/v1/types.gen.ts'
import { selectorFromObject } from '../../machinery/selector/label-selector.ts'
import { replicaController } from './replica-controller.ts'

export const replicaSetController = replicaController<ReplicaSet>({
  kind: replicaSetKind,
  name: 'replicaset-controller',
  component: 'replicaset-controller',
  countsTerminating: true,
  specOf: ({ spec }) => ({
    replicas: spec.replicas ?? 1,
    minReadySeconds: spec.minReadySeconds ?? 0,
    selector: selectorFromObject(spec.selector),
    template: spec.template,
  }),
  statusOf: ({ status }) => status,
  withStatus: (object, { conditions, ...counts }) => ({
    ...object,
    status: { ...counts, ...(conditions ? { conditions: conditions as ReplicaSetCondition[] } : {}) },
  }),
})
