import { defineKind } from '../../kind.ts'
import {
  autoscalerColumns,
  horizontalPodAutoscaler as newer,
  validateAutoscaler,
  validateAutoscalerStatus,
} from '../v2/horizontal-pod-autoscaler.ts'
import type { HorizontalPodAutoscaler as NewAutoscaler } from '../v2/types.gen.ts'
import { fromStored, toNewer, toStored } from './conversion.ts'
import type { HorizontalPodAutoscaler } from './types.gen.ts'

/** The older shape of autoscaling/v2. Both are the same objects; checks speak of the fields as stored, as Kubernetes does. */
export const oldHorizontalPodAutoscaler = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  resource: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  model: 'io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler',
  subresources: { status: true },
  columns: autoscalerColumns.map((column) => ({ ...column, value: (object, now) => column.value(toStored(object), now) })),
  strategy: {
    defaults({ spec }) {
      spec.minReplicas ??= 1
    },
    validate: (object) => validateAutoscaler(toStored(object).spec),
    validateStatusUpdate: ({ status }) => validateAutoscalerStatus(status),
  },
  storedAs: { kind: newer, toStored, undefaulted: toNewer, fromStored: (stored) => fromStored(stored as NewAutoscaler) },
})
