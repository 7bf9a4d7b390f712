/** What the kubelet tells about pods and its node. Texts and reasons are those that kubectl's users know. */
import type { Node, ObjectReference, Pod } from '../../api/core/v1/types.gen.ts'

export type EventType = 'Normal' | 'Warning'

/** Takes events without delay; what becomes of them is not the caller's concern. */
export interface EventSink {
  event(about: ObjectReference, type: EventType, reason: string, message: string): void
}

export function podReference({ metadata }: Pod): ObjectReference {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    name: metadata.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
  }
}

/** With the container as field path: "spec.containers{web}". */
export function containerReference(pod: Pod, container: string): ObjectReference {
  const { spec } = pod
  const named = (list: readonly { name: string }[] | undefined) => list?.some(({ name }) => name === container)
  const list = named(spec.containers) ? 'containers' : named(spec.initContainers) ? 'initContainers' : 'ephemeralContainers'
  return { ...podReference(pod), fieldPath: `spec.${list}{${container}}` }
}

/** kubelet uses the node's name as its uid in events, which is what kubectl describe looks for. */
export function nodeReference({ metadata }: Pick<Node, 'metadata'>): ObjectReference {
  return { apiVersion: 'v1', kind: 'Node', name: metadata.name, uid: metadata.name }
}
