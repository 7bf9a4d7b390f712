/** Objects for tests of controllers, as short as they can be. */
import type { DaemonSet, Deployment, ReplicaSet } from '../../api/apps/v1/types.gen.ts'
import type { PodTemplateSpec } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { NAMESPACE } from './cluster.ts'

export function template(labels: Record<string, string>, image = 'app:1'): Draft<PodTemplateSpec> {
  return { metadata: { labels }, spec: { containers: [{ name: 'app', image }] } }
}

export function replicaSetOf(name: string, spec: Draft<ReplicaSet['spec']> = {}): Draft<ReplicaSet> {
  const labels = { app: name }
  return { metadata: { name, namespace: NAMESPACE }, spec: { selector: { matchLabels: labels }, template: template(labels), ...spec } }
}

export function deploymentOf(name: string, spec: Draft<Deployment['spec']> = {}): Draft<Deployment> {
  const labels = { app: name }
  return { metadata: { name, namespace: NAMESPACE }, spec: { selector: { matchLabels: labels }, template: template(labels), ...spec } }
}

export function daemonSetOf(name: string, spec: Draft<DaemonSet['spec']> = {}): Draft<DaemonSet> {
  const labels = { app: name }
  return { metadata: { name, namespace: NAMESPACE }, spec: { selector: { matchLabels: labels }, template: template(labels), ...spec } }
}
