/** Which pods belong together where nothing says so: those of one service, or of one owner. Source: `plugins/helper/spread.go`. */
import { selectorFromLabels, selectorFromObject, selectorOf, type LabelSelector } from '../../machinery/selector/label-selector.ts'
import { controllerOf } from '../../machinery/object.ts'
import type { ClusterObjects } from '../snapshot/cluster-objects.ts'
import type { PodInfo } from '../snapshot/pod-info.ts'

/** Null: nothing else belongs to the pod. */
export function defaultSelector({ pod, namespace, labels }: PodInfo, objects: ClusterObjects): LabelSelector | null {
  let together: Record<string, string> = {}
  for (const { spec } of objects.services(namespace)) {
    if (spec.selector && selectorFromLabels(spec.selector).matches(labels)) together = { ...together, ...spec.selector }
  }
  const owner = controllerOf(pod)
  let selector = selectorFromLabels(together)
  if (owner?.apiVersion === 'v1' && owner.kind === 'ReplicationController') {
    selector = selectorFromLabels({ ...together, ...objects.replicationController(namespace, owner.name)?.spec.selector })
  } else if (owner?.apiVersion === 'apps/v1') {
    const object =
      owner.kind === 'ReplicaSet'
        ? objects.replicaSet(namespace, owner.name)
        : owner.kind === 'StatefulSet'
          ? objects.statefulSet(namespace, owner.name)
          : undefined
    if (object) selector = selectorOf([...selector.requirements, ...selectorFromObject(object.spec.selector).requirements])
  }
  return selector.everything ? null : selector
}
