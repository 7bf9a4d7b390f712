import type { Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'
import { podView } from '../../kube/pod-status.ts'
import { wallClock } from '../../time/clock.ts'
import type { LineColumn } from '../lists/line-columns.ts'
import { text, type Cell } from '../lists/list-def.ts'
import { podColumns } from './columns.ts'

function cell(id: string, object: KubeObject): Cell {
  const pod = object as Pod
  const view = podView(pod, wallClock())
  switch (id) {
    case 'ns':
      return text(pod.metadata.namespace)
    case 'ready':
      return text(`${view.ready}/${view.total}`)
    case 'status':
      return { type: 'status', tone: view.tone, word: view.word }
    case 'restarts':
      return text(view.restarts)
    case 'node':
      return text(pod.spec.nodeName)
    case 'ip':
      return text(pod.status?.podIP)
    case 'age':
      return { type: 'age', time: pod.metadata.creationTimestamp }
    default:
      return text(pod.metadata.name)
  }
}

/** The columns of pods as words, for who copies the list. */
export const podTextColumns = (): readonly LineColumn[] =>
  podColumns().map((column) => ({ ...column, cell: (object) => cell(column.id, object) }))
