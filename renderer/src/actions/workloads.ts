/** Changes of Deployments and their kin. */
import type { ReplicaSet } from '../../../electron/api/apps/v1/types.gen.ts'
import type { PodTemplateSpec } from '../../../electron/api/core/v1/types.gen.ts'
import { t } from '../i18n/index.ts'
import { FIELD_MANAGER, JSON_PATCH, MERGE_PATCH, pathTo, STRATEGIC_PATCH } from '../kube/api.ts'
import { fullName, kubectlName, type ObjectRef } from '../kube/resources.ts'
import { inNamespace, type Plan, type Step } from './plan.ts'

const target = (ref: ObjectRef) => `${kubectlName(ref.resource)}/${ref.name}${inNamespace(ref.namespace)}`
const query = { fieldManager: FIELD_MANAGER }
const nameOf = (ref: ObjectRef) => ({ name: fullName(ref) })

const merge = (ref: ObjectRef, body: unknown, kubectl: string, subresource?: string): Step => ({
  call: { method: 'PATCH', path: pathTo(ref, subresource), query, contentType: MERGE_PATCH, body },
  kubectl,
})

export function scale(ref: ObjectRef, from: number, to: number): Plan {
  const step = (replicas: number) => merge(ref, { spec: { replicas } }, `kubectl scale ${target(ref)} --replicas=${replicas}`, 'scale')
  const failed = t('act.scale.failed', nameOf(ref))
  return {
    done: t('act.scale.done', { ...nameOf(ref), from, to }),
    failed,
    steps: [step(to)],
    undo: { done: t('act.scale.done', { ...nameOf(ref), from: to, to: from }), failed, steps: [step(from)] },
  }
}

/** As `kubectl rollout restart`: a new template annotation, so that each pod is replaced in turn. `at` in milliseconds. */
export function restart(ref: ObjectRef, at: number): Plan {
  const annotations = { 'kubectl.kubernetes.io/restartedAt': new Date(at).toISOString() }
  return {
    done: t('act.restart.done', nameOf(ref)),
    failed: t('act.restart.failed', nameOf(ref)),
    steps: [merge(ref, { spec: { template: { metadata: { annotations } } } }, `kubectl rollout restart ${target(ref)}`)],
  }
}

export function setPaused(ref: ObjectRef, paused: boolean): Plan {
  const step = (on: boolean) => merge(ref, { spec: { paused: on || null } }, `kubectl rollout ${on ? 'pause' : 'resume'} ${target(ref)}`)
  const done = (on: boolean) => t(on ? 'act.pause.done' : 'act.resume.done', nameOf(ref))
  const failed = (on: boolean) => t(on ? 'act.pause.failed' : 'act.resume.failed', nameOf(ref))
  return {
    done: done(paused),
    failed: failed(paused),
    steps: [step(paused)],
    undo: { done: done(!paused), failed: failed(!paused), steps: [step(!paused)] },
  }
}

/** A revision's template without what the controller added to it. */
export function templateOf(set: ReplicaSet): PodTemplateSpec {
  const template = structuredClone<PodTemplateSpec>(set.spec.template)
  delete template.metadata.labels?.['pod-template-hash']
  return template
}

export const revisionOf = (object: { metadata: { annotations?: Record<string, string> } }): number =>
  Number(object.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0)

/** As `kubectl rollout undo --to-revision`: the old template replaces the present one whole. */
export function rollBack(ref: ObjectRef, to: ReplicaSet): Plan {
  const revision = revisionOf(to)
  return {
    done: t('act.rollback.done', { ...nameOf(ref), revision }),
    failed: t('act.rollback.failed', { ...nameOf(ref), revision }),
    steps: [
      {
        call: {
          method: 'PATCH',
          path: pathTo(ref),
          query,
          contentType: JSON_PATCH,
          body: [{ op: 'replace', path: '/spec/template', value: templateOf(to) }],
        },
        kubectl: `kubectl rollout undo ${target(ref)} --to-revision=${revision}`,
      },
    ],
  }
}

/** Sets a container's image, in the template of a workload or in a pod that nothing made. */
export function setImage(ref: ObjectRef, container: string, from: string, to: string): Plan {
  const step = (image: string): Step => {
    const spec = { containers: [{ name: container, image }] }
    return {
      call: {
        method: 'PATCH',
        path: pathTo(ref),
        query,
        contentType: STRATEGIC_PATCH,
        body: ref.resource.kind === 'Pod' ? { spec } : { spec: { template: { spec } } },
      },
      kubectl: `kubectl set image ${target(ref)} ${container}=${image}`,
    }
  }
  const failed = t('act.image.failed', nameOf(ref))
  const done = (image: string) => t('act.image.done', { ...nameOf(ref), image })
  return { done: done(to), failed, steps: [step(to)], undo: { done: done(from), failed, steps: [step(from)] } }
}

/** Sets a container's memory limit in the template; `container` must be one of `containers`. Null takes the limit away. */
export function setMemoryLimit(
  ref: ObjectRef,
  containers: readonly { name: string }[],
  container: string,
  from: string | null,
  to: string,
): Plan {
  const index = containers.findIndex((c) => c.name === container)
  const at = `/spec/template/spec/containers/${index}`
  const step = (limit: string | null): Step => ({
    call: {
      method: 'PATCH',
      path: pathTo(ref),
      query,
      contentType: JSON_PATCH,
      body: [
        { op: 'test', path: `${at}/name`, value: container },
        limit === null
          ? { op: 'remove', path: `${at}/resources/limits/memory` }
          : { op: 'add', path: `${at}/resources/limits/memory`, value: limit },
      ],
    },
    kubectl: `kubectl set resources ${target(ref)} -c ${container} --limits=memory=${limit ?? '0'}`,
  })
  const failed = t('act.limit.failed', nameOf(ref))
  return {
    done: t('act.limit.done', { ...nameOf(ref), limit: to }),
    failed,
    steps: [step(to)],
    undo: { done: t('act.limit.undone', nameOf(ref)), failed, steps: [step(from)] },
  }
}
