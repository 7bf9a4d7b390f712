/** Objects as tests send them. */
import type { Container, PodSpec, PodTemplateSpec } from '../../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../../electron/api/meta/v1/object.ts'

export const IMAGE = 'registry.k8s.io/pause:3.10'

export const containerOf = (more: Draft<Container> = {}): Draft<Container> => ({ name: 'main', image: IMAGE, ...more })

export const podSpec = (more: Draft<PodSpec> = {}): Draft<PodSpec> => ({ containers: [containerOf()], ...more })

export const podTemplateSpec = (labels: Record<string, string>, more: Draft<PodSpec> = {}): Draft<PodTemplateSpec> => ({
  metadata: { labels },
  spec: podSpec(more),
})

/** The spec of a Deployment, ReplicaSet, DaemonSet or StatefulSet with these pods. */
export const workloadSpec = (labels: Record<string, string>) => ({ selector: { matchLabels: labels }, template: podTemplateSpec(labels) })
