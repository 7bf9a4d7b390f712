/** What the pods of a node refer to, found by index instead of by walking pods. */
import { persistentVolumeClaim } from '../../api/core/v1/persistent-volume-claim.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Container, Pod } from '../../api/core/v1/types.gen.ts'
import type { Informers } from '../../client/informer.ts'

export type Referent = 'secrets' | 'configmaps' | 'persistentvolumeclaims' | 'serviceaccounts'

export interface NodeReferences {
  /** Whether a pod on the node refers to the object. */
  uses(node: string, referent: Referent, namespace: string, name: string): boolean
  /** Whether a pod on the node uses a claim that is bound to the volume. */
  usesVolume(node: string, volume: string): boolean
  /** The node that a pod is on; undefined if there is no such pod or it is on none. */
  nodeOfPod(namespace: string, name: string): string | undefined
}

export function watchReferences(informers: Informers): NodeReferences {
  const pods = informers.for(podKind)
  const claims = informers.for(persistentVolumeClaim)
  pods.addIndex('authz/references', referencesByNode)
  claims.addIndex('authz/volume', ({ spec }) => (spec.volumeName ? [spec.volumeName] : []))
  const uses: NodeReferences['uses'] = (node, referent, namespace, name) =>
    pods.byIndex('authz/references', key(node, referent, namespace, name)).length > 0
  return {
    uses,
    usesVolume: (node, volume) =>
      claims
        .byIndex('authz/volume', volume)
        .some(({ metadata }) => uses(node, 'persistentvolumeclaims', metadata.namespace ?? '', metadata.name)),
    nodeOfPod: (namespace, name) => pods.get(namespace, name)?.spec.nodeName,
  }
}

function key(node: string, referent: Referent, namespace: string, name: string): string {
  return `${node}\n${referent}\n${namespace}\n${name}`
}

function referencesByNode(pod: Pod): string[] {
  const { nodeName } = pod.spec
  if (!nodeName) return []
  return [...references(pod)].map(([referent, name]) => key(nodeName, referent, pod.metadata.namespace ?? '', name))
}

function* references({ metadata, spec }: Pod): Generator<readonly [Referent, string], void, void> {
  yield ['serviceaccounts', spec.serviceAccountName ?? 'default']
  for (const { name } of spec.imagePullSecrets ?? []) if (name) yield ['secrets', name]
  const containers = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])]
  for (const container of containers) yield* ofContainer(container)
  for (const volume of spec.volumes ?? []) {
    if (volume.secret?.secretName) yield ['secrets', volume.secret.secretName]
    if (volume.configMap?.name) yield ['configmaps', volume.configMap.name]
    if (volume.persistentVolumeClaim) yield ['persistentvolumeclaims', volume.persistentVolumeClaim.claimName]
    if (volume.ephemeral) yield ['persistentvolumeclaims', `${metadata.name}-${volume.name}`]
    if (volume.csi?.nodePublishSecretRef?.name) yield ['secrets', volume.csi.nodePublishSecretRef.name]
    for (const source of volume.projected?.sources ?? []) {
      if (source.secret?.name) yield ['secrets', source.secret.name]
      if (source.configMap?.name) yield ['configmaps', source.configMap.name]
    }
  }
}

function* ofContainer({ env, envFrom }: Pick<Container, 'env' | 'envFrom'>): Generator<readonly [Referent, string], void, void> {
  for (const { valueFrom } of env ?? []) {
    if (valueFrom?.secretKeyRef?.name) yield ['secrets', valueFrom.secretKeyRef.name]
    if (valueFrom?.configMapKeyRef?.name) yield ['configmaps', valueFrom.configMapKeyRef.name]
  }
  for (const { secretRef, configMapRef } of envFrom ?? []) {
    if (secretRef?.name) yield ['secrets', secretRef.name]
    if (configMapRef?.name) yield ['configmaps', configMapRef.name]
  }
}
