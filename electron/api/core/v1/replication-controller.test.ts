import { describe, expect, it } from 'vitest'
import { container, type Loose } from '../../testing/objects.ts'
import { created, decoded, row, statusUpdated, stored } from '../../testing/rules.ts'
import { replicationController } from './replication-controller.ts'

const template = (spec: Loose = {}, labels: Record<string, string> = { app: 'web' }) => ({
  metadata: { labels },
  spec: { containers: [container()], ...spec },
})

describe('a replication controller', () => {
  it('selects the pods of its template', () => {
    const { metadata, spec } = decoded(replicationController, { spec: { template: template() } })
    expect(spec).toMatchObject({ replicas: 1, selector: { app: 'web' } })
    expect(metadata.labels).toEqual({ app: 'web' })
    expect(spec.template?.spec.restartPolicy).toBe('Always')
  })

  it.each<[what: string, spec: Loose, errors: string[]]>([
    ['an ordinary one', { template: template() }, []],
    ['without a template', { selector: { a: 'b' } }, ['spec.template: Required value']],
    ['that selects nothing', { template: template({}, {}) }, ['spec.selector: Required value']],
    [
      'of fewer than none',
      { replicas: -1, template: template() },
      ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'of other pods',
      { selector: { app: 'db' }, template: template() },
      ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
    ],
    [
      'of pods that end',
      { template: template({ restartPolicy: 'Never', activeDeadlineSeconds: 5 }) },
      [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicationController is not Supported',
      ],
    ],
  ])('%s', (_, spec, errors) => {
    expect(created(replicationController, { spec }).errors).toEqual(errors)
  })

  it('counts no more pods than there are', () => {
    const old = stored(replicationController, { spec: { template: template() } })
    const outcome = statusUpdated(replicationController, old, ({ status }) => {
      Object.assign(status, { replicas: 1, fullyLabeledReplicas: 2, readyReplicas: 0, availableReplicas: 1 })
    })
    expect(outcome.errors).toEqual([
      'status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas',
      'status.availableReplicas: Invalid value: 1: cannot be greater than readyReplicas',
    ])
  })

  it('is shown with its pods', () => {
    const object = stored(replicationController, { spec: { replicas: 3, template: template() }, status: { replicas: 2, readyReplicas: 1 } })
    expect(row(replicationController, object)).toEqual({
      Desired: 3,
      Current: 2,
      Ready: 1,
      Age: '60m',
      Containers: 'app',
      Images: 'registry.example/app:1',
      Selector: 'app=web',
    })
  })
})
