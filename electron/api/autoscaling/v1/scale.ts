import { ageColumn } from '../../columns.ts'
import { defineSubresourceKind, type Column } from '../../kind.ts'
import { nonNegative } from '../../meta/v1/validation.ts'
import type { Scale } from './types.gen.ts'

const columns: readonly Column<Scale>[] = [
  { name: 'Desired', type: 'integer', description: 'Pods that there should be', value: ({ spec }) => spec.replicas ?? 0 },
  { name: 'Available', type: 'integer', description: 'Pods that there are', value: ({ status }) => status.replicas ?? 0 },
  ageColumn,
]

/** How many pods a workload should have, in the same shape for all kinds of workloads. */
export const scale = defineSubresourceKind<Scale>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  model: 'io.k8s.api.autoscaling.v1.Scale',
  columns,
  strategy: { validate: ({ spec }) => nonNegative('spec.replicas', spec.replicas) },
})
