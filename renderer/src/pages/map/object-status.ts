/** How any object does, in a mark and a word. */
import type { Node, PersistentVolumeClaim, Pod, Service } from '../../../../electron/api/core/v1/types.gen.ts'
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'
import { t } from '../../i18n/index.ts'
import { podView } from '../../kube/pod-status.ts'
import type { Tone } from '../../kube/tone.ts'
import { workloadView } from '../object/workload.ts'

export interface ObjectStatus {
  readonly tone: Tone
  readonly word: string
}

interface Conditioned {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[] }
}

/** `now` in milliseconds since the epoch. */
export function objectStatus(object: KubeObject, now: number): ObjectStatus {
  if (object.kind === 'Pod') return podView(object as Pod, now)
  if (object.metadata.deletionTimestamp) return { tone: 'busy', word: t('workload.deleting') }
  const view = workloadView(object)
  if (view) return { tone: view.tone, word: view.wanted === 1 && view.ready === 1 ? view.word : `${view.ready}/${view.wanted}` }
  switch (object.kind) {
    case 'PersistentVolumeClaim':
      return phaseStatus((object as PersistentVolumeClaim).status?.phase)
    case 'Service':
      return serviceStatus(object as Service)
    case 'Node':
      return readyStatus(object as Node) ?? { tone: 'warn', word: t('map.status.unknown') }
    default:
      return readyStatus(object as Conditioned) ?? { tone: 'ok', word: t('helm.resource.there') }
  }
}

function phaseStatus(phase: string | undefined): ObjectStatus {
  if (phase === 'Bound') return { tone: 'ok', word: phase }
  return { tone: phase === 'Lost' ? 'err' : 'busy', word: phase ?? 'Pending' }
}

function serviceStatus({ spec, status }: Service): ObjectStatus {
  const waits = spec.type === 'LoadBalancer' && !status?.loadBalancer?.ingress?.length
  return waits ? { tone: 'busy', word: t('map.status.noAddress') } : { tone: 'ok', word: spec.type ?? 'ClusterIP' }
}

function readyStatus({ status }: Conditioned): ObjectStatus | null {
  const condition = status?.conditions?.find(({ type }) => type === 'Ready' || type === 'Available' || type === 'Established')
  if (!condition) return null
  const { type } = condition
  if (condition.status === 'True') return { tone: 'ok', word: type }
  return { tone: condition.status === 'False' ? 'err' : 'warn', word: condition.reason ?? `${type}: ${condition.status}` }
}
