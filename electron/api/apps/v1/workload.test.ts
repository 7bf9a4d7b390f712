import { describe, expect, it } from 'vitest'
import type { Kind } from '../../kind.ts'
import type { KubeObject } from '../../meta/v1/object.ts'
import { container, type Loose } from '../../testing/objects.ts'
import { created, decoded, row, statusUpdated, stored, updated } from '../../testing/rules.ts'
import { daemonSet } from './daemon-set.ts'
import { deployment } from './deployment.ts'
import { replicaSet } from './replica-set.ts'
import { statefulSet } from './stateful-set.ts'

const template = (spec: Loose = {}, labels: Record<string, string> = { app: 'web' }) => ({
  metadata: { labels },
  spec: { containers: [container()], ...spec },
})
const of = (more: Loose = {}, status: Loose = {}): Loose => ({
  spec: { selector: { matchLabels: { app: 'web' } }, template: template(), ...more },
  status,
})
const WORKLOADS = [
  ['a deployment', deployment, 'deployment', 'ReplicaSet'],
  ['a replica set', replicaSet, 'deployment', 'ReplicaSet'],
  ['a daemon set', daemonSet, 'daemonset', 'DaemonSet'],
  ['a stateful set', statefulSet, 'statefulset', 'StatefulSet'],
] as unknown as [string, Kind<KubeObject & { spec: { selector: Loose; replicas?: number } }>, string, string][]

describe.each(WORKLOADS)('%s', (_, kind, name, kindOfPods) => {
  it('is fine with a selector of its template', () => {
    expect(created(kind, of()).errors).toEqual([])
  })

  it('gives its template the defaults of pods', () => {
    expect(decoded(kind, of())).toMatchObject({
      spec: { template: { spec: { restartPolicy: 'Always', schedulerName: 'default-scheduler' } } },
    })
  })

  it('does not select other pods', () => {
    expect(created(kind, of({ template: template({}, { app: 'db' }) })).errors).toEqual([
      'spec.template.metadata.labels: Invalid value: {"app":"db"}: `selector` does not match template `labels`',
    ])
  })

  it('does not select all pods', () => {
    expect(created(kind, of({ selector: {} })).errors).toEqual([`spec.selector: Invalid value: {}: empty selector is invalid for ${name}`])
  })

  it('does not make pods that end', () => {
    expect(created(kind, of({ template: template({ restartPolicy: 'OnFailure', activeDeadlineSeconds: 5 }) })).errors).toEqual([
      'spec.template.spec.restartPolicy: Unsupported value: "OnFailure": supported values: "Always"',
      `spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ${kindOfPods} is not Supported`,
    ])
  })

  it('keeps its selector', () => {
    const old = stored(kind, of({ template: template({}, { app: 'web', tier: 'a' }) }))
    const { errors } = updated(kind, old, ({ spec }) => {
      spec.selector = { matchLabels: { tier: 'a' } }
    })
    expect(errors).toEqual([
      kind.kind === 'StatefulSet'
        ? "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
        : 'spec.selector: Invalid value: {"matchLabels":{"tier":"a"}}: field is immutable',
    ])
  })
})

describe.each(WORKLOADS.filter(([, kind]) => 'scale' in kind.subresources))('%s', (_, kind) => {
  it('has one pod unless it says otherwise', () => {
    expect(decoded(kind, of()).spec.replicas).toBe(1)
    expect(decoded(kind, of({ replicas: 0 })).spec.replicas).toBe(0)
  })

  it('has no fewer pods than none', () => {
    expect(created(kind, of({ replicas: -1 })).errors).toEqual(['spec.replicas: Invalid value: -1: must be greater than or equal to 0'])
  })

  it('counts no more pods than there are', () => {
    const outcome = statusUpdated(kind, stored(kind, of()), (object) => {
      Object.assign((object as unknown as { status: Loose }).status, { replicas: 1, readyReplicas: 2, availableReplicas: 3 })
    })
    expect(outcome.errors).toEqual([
      'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
      'status.availableReplicas: Invalid value: 3: cannot be greater than status.replicas',
      `status.availableReplicas: Invalid value: 3: cannot be greater than ${kind.kind === 'StatefulSet' ? 'status.readyReplicas' : 'readyReplicas'}`,
    ])
  })
})

describe('a replica set', () => {
  it('is shown with its pods', () => {
    expect(row(replicaSet, stored(replicaSet, of({ replicas: 2 }, { replicas: 1, readyReplicas: 1 })))).toEqual({
      Desired: 2,
      Current: 1,
      Ready: 1,
      Age: '60m',
      Containers: 'app',
      Images: 'registry.example/app:1',
      Selector: 'app=web',
    })
  })

  it('is found by how many pods it has', () => {
    expect(replicaSet.selectableFields['status.replicas']?.(stored(replicaSet, of({}, { replicas: 3 })))).toBe('3')
  })
})
