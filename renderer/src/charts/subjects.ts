/** Objects as what figures are kept of. */
import type { Pod } from '../../../electron/api/core/v1/types.gen.ts'
import { parseQuantity } from '../kube/quantity.ts'
import type { MetricsSubject } from './use-history.ts'

export const podSubject = ({ metadata }: Pod): MetricsSubject => ({ kind: 'pod', name: `${metadata.namespace}/${metadata.name}` })

export function containerSubjects(pod: Pod): (MetricsSubject & { label: string })[] {
  const { containers } = pod.spec
  if (containers.length < 2) return []
  return containers.map(({ name }) => ({ kind: 'container', name: `${pod.metadata.namespace}/${pod.metadata.name}/${name}`, label: name }))
}

const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job']

/** Null for what has no figures. */
export function subjectOf(kind: string, namespace: string | undefined, name: string): MetricsSubject | null {
  if (kind === 'Namespace') return { kind: 'namespace', name }
  return KINDS.includes(kind) ? { kind: 'workload', name: `${namespace}/${kind}/${name}` } : null
}

/** Of all its containers; 0 where one of them has none. */
export function boundsOf({ spec }: Pod): Record<'cpu' | 'memory', { request: number; limit: number }> {
  const of = (what: 'cpu' | 'memory', bound: 'requests' | 'limits') => {
    const each = spec.containers.map(({ resources }) => resources?.[bound]?.[what])
    return each.every((one) => one !== undefined) ? each.reduce<number>((sum, one) => sum + parseQuantity(one), 0) : 0
  }
  return {
    cpu: { request: of('cpu', 'requests'), limit: of('cpu', 'limits') },
    memory: { request: of('memory', 'requests'), limit: of('memory', 'limits') },
  }
}
