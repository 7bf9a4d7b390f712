/** Objects for tests of controllers, as short as they can be. */
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '../../api/apps/v1/types.gen.ts'
import type { CronJob, Job } from '../../api/batch/v1/types.gen.ts'
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

export function jobOf(name: string, spec: Draft<Job['spec']> = {}): Draft<Job> {
  return { metadata: { name, namespace: NAMESPACE }, spec: { template: runningOnce(), ...spec } }
}

export function cronJobOf(name: string, spec: Draft<CronJob['spec']> = {}): Draft<CronJob> {
  const jobTemplate = { spec: { template: runningOnce() } }
  return { metadata: { name, namespace: NAMESPACE }, spec: { schedule: '* * * * *', jobTemplate, ...spec } }
}

export function runningOnce(): Draft<PodTemplateSpec> {
  const { metadata, spec } = template({ app: 'work' })
  return { metadata, spec: { ...spec, restartPolicy: 'Never' } }
}

export function statefulSetOf(name: string, spec: Draft<StatefulSet['spec']> = {}): Draft<StatefulSet> {
  const labels = { app: name }
  const own = { selector: { matchLabels: labels }, serviceName: name, template: template(labels) }
  return { metadata: { name, namespace: NAMESPACE }, spec: { ...own, ...spec } }
}
