import { describe, expect, it } from 'vitest'
import { container, type Loose } from '../../testing/objects.ts'
import { created, decoded, row, statusUpdated, stored } from '../../testing/rules.ts'
import { deployment } from './deployment.ts'
import type { Deployment } from './types.gen.ts'

const of = (more: Loose = {}, status: Loose = {}): Loose => ({
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container()] } },
    ...more,
  },
  status,
})
const rolling = (rollingUpdate: Loose) => ({ strategy: { type: 'RollingUpdate', rollingUpdate } })
const AT = 'spec.strategy.rollingUpdate'

describe('what a deployment means where it is silent', () => {
  it.each<[given: Loose, expected: Loose]>([
    [
      {},
      {
        replicas: 1,
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      },
    ],
    [
      { ...rolling({ maxSurge: 0 }), revisionHistoryLimit: 0 },
      { strategy: { rollingUpdate: { maxUnavailable: '25%', maxSurge: 0 } }, revisionHistoryLimit: 0 },
    ],
  ])('%j', (given, expected) => {
    expect(decoded(deployment, of(given)).spec).toMatchObject(expected)
  })

  it('all at once needs no numbers', () => {
    expect(decoded(deployment, of({ strategy: { type: 'Recreate' } })).spec.strategy).toEqual({ type: 'Recreate' })
  })
})

describe('a deployment', () => {
  it.each<[what: string, spec: Loose, errors: string[]]>([
    [
      'that replaces in a way that does not exist',
      { strategy: { type: 'Canary' } },
      ['spec.strategy: Unsupported value: {"type":"Canary"}: supported values: "Recreate", "RollingUpdate"'],
    ],
    [
      'all at once and in steps',
      { strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } },
      [`${AT}: Forbidden: may not be specified when strategy \`type\` is 'Recreate'`],
    ],
    [
      'that cannot move',
      rolling({ maxSurge: 0, maxUnavailable: '0%' }),
      [`${AT}.maxUnavailable: Invalid value: "0%": may not be 0 when \`maxSurge\` is 0`],
    ],
    [
      'with more than all missing',
      rolling({ maxUnavailable: '101%' }),
      [`${AT}.maxUnavailable: Invalid value: "101%": must not be greater than 100%`],
    ],
    ['with twice as many', rolling({ maxSurge: '200%' }), []],
    [
      'with shares that are none',
      rolling({ maxSurge: -1, maxUnavailable: 'half' }),
      [
        `${AT}.maxUnavailable: Invalid value: "half": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`,
        `${AT}.maxSurge: Invalid value: -1: must be greater than or equal to 0`,
      ],
    ],
    [
      'that gives up before it can be ready',
      { minReadySeconds: 600 },
      ['spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds'],
    ],
    [
      'with times below zero',
      { minReadySeconds: -1, revisionHistoryLimit: -1, progressDeadlineSeconds: -1 },
      [
        'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0',
        'spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0',
        'spec.progressDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0',
        'spec.progressDeadlineSeconds: Invalid value: -1: must be greater than minReadySeconds',
      ],
    ],
  ])('%s', (_, spec, errors) => {
    expect(created(deployment, of(spec)).errors).toEqual(errors)
  })

  it('does not use a name of a child again', () => {
    const outcome = statusUpdated(deployment, stored(deployment, of({}, { collisionCount: 2 })), ({ status }) => {
      status.collisionCount = 1
    })
    expect(outcome.errors).toEqual(['status.collisionCount: Invalid value: 1: cannot be decremented'])
  })

  it.each<[what: string, change: (object: Deployment) => void, counts: boolean]>([
    ['its spec', ({ spec }) => (spec.replicas = 2), true],
    ['its annotations', ({ metadata }) => (metadata.annotations = { a: 'b' }), true],
    ['its labels', ({ metadata }) => (metadata.labels = { a: 'b' }), false],
    ['its status', ({ status }) => (status.replicas = 2), false],
  ])('is another generation with %s: %s', (_, change, counts) => {
    const old = stored(deployment, of())
    const object = structuredClone(old)
    change(object)
    expect(deployment.strategy.generationChanged?.(object, old)).toBe(counts)
  })

  it('is shown with its pods', () => {
    const status = { replicas: 3, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1 }
    expect(row(deployment, stored(deployment, of({ replicas: 3 }, status)))).toEqual({
      Ready: '1/3',
      'Up-to-date': 2,
      Available: 1,
      Age: '60m',
      Containers: 'app',
      Images: 'registry.example/app:1',
      Selector: 'app=web',
    })
  })
})
