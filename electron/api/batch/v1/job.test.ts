import { describe, expect, it } from 'vitest'
import { container, type Loose } from '../../testing/objects.ts'
import { created, decoded, row, statusUpdated, stored, updated } from '../../testing/rules.ts'
import { job } from './job.ts'
import type { Job } from './types.gen.ts'

const template = (spec: Loose = {}, labels: Record<string, string> = {}) => ({
  metadata: { labels },
  spec: { containers: [container()], restartPolicy: 'Never', ...spec },
})
const of = (more: Loose = {}, status: Loose = {}): Loose => ({ spec: { template: template(), ...more }, status })
const INDEXED = { completionMode: 'Indexed', completions: 3 }

describe('what a job means where it is silent', () => {
  it.each<[given: Loose, expected: Loose]>([
    [
      {},
      {
        completions: 1,
        parallelism: 1,
        backoffLimit: 6,
        completionMode: 'NonIndexed',
        suspend: false,
        manualSelector: false,
        podReplacementPolicy: 'TerminatingOrFailed',
      },
    ],
    [{ parallelism: 3 }, { parallelism: 3, backoffLimit: 6 }],
    [{ ...INDEXED, backoffLimitPerIndex: 1 }, { backoffLimit: 2147483647 }],
    [
      { podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }] } },
      {
        podReplacementPolicy: 'Failed',
        podFailurePolicy: { rules: [{ onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] },
      },
    ],
  ])('%j', (given, expected) => {
    expect(decoded(job, of(given)).spec).toMatchObject(expected)
  })

  it('as many as it takes, with parallel pods', () => {
    expect(decoded(job, of({ parallelism: 3 })).spec.completions).toBeUndefined()
  })

  it('the labels of its pods', () => {
    expect(decoded(job, of({ template: template({}, { a: 'b' }) })).metadata.labels).toEqual({ a: 'b' })
  })
})

describe('the selector of a job', () => {
  it('is made of what no other job has', () => {
    const { object, errors } = created(job, of({ template: template({}, { a: 'b' }) }))
    expect(errors).toEqual([])
    expect(object.spec.selector).toEqual({ matchLabels: { 'batch.kubernetes.io/controller-uid': 'u-1' } })
    expect(object.spec.template.metadata.labels).toEqual({
      a: 'b',
      'batch.kubernetes.io/controller-uid': 'u-1',
      'batch.kubernetes.io/job-name': 'one',
      'controller-uid': 'u-1',
      'job-name': 'one',
    })
  })

  it('is somebody’s own if that is what they want', () => {
    const own = of({ manualSelector: true, selector: { matchLabels: { a: 'b' } }, template: template({}, { a: 'b' }) })
    const { object, errors } = created(job, own)
    expect(errors).toEqual([])
    expect(object.spec.selector).toEqual({ matchLabels: { a: 'b' } })
    expect(created(job, of({ manualSelector: true })).errors).toEqual([
      'spec.selector: Required value',
      'spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`',
    ])
  })

  it('is not somebody’s own by chance', () => {
    const { errors } = created(job, of({ template: template({}, { 'batch.kubernetes.io/controller-uid': 'mine' }) }))
    expect(errors[0]).toMatch(
      /^spec\.template\.metadata\.labels\[batch\.kubernetes\.io\/controller-uid\]: Invalid value: .*: must be 'u-1'$/,
    )
  })
})

describe('a job', () => {
  it.each<[what: string, spec: Loose, errors: string[]]>([
    ['an ordinary one', {}, []],
    [
      'of pods that run for ever',
      { template: template({ restartPolicy: 'Always' }) },
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'with numbers below zero',
      { parallelism: -1, completions: -1, activeDeadlineSeconds: -1, backoffLimit: -1, ttlSecondsAfterFinished: -1 },
      ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'].map(
        (name) => `spec.${name}: Invalid value: -1: must be greater than or equal to 0`,
      ),
    ],
    ['by index', INDEXED, []],
    [
      'by index of nothing',
      { completionMode: 'Indexed', parallelism: 2 },
      ['spec.completions: Required value: when completion mode is Indexed'],
    ],
    [
      'by index with too much at once',
      { ...INDEXED, parallelism: 100_001 },
      ['spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed'],
    ],
    [
      'with limits of indexes that it has not',
      { backoffLimitPerIndex: 1, maxFailedIndexes: 1 },
      [
        'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
        'spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode',
      ],
    ],
    [
      'of which more may fail than there are',
      { ...INDEXED, maxFailedIndexes: 4 },
      [
        'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
        'spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions',
      ],
    ],
    [
      'with words that nobody knows',
      { completionMode: 'Some', podReplacementPolicy: 'Some' },
      [
        'spec.completionMode: Unsupported value: "Some": supported values: "NonIndexed", "Indexed"',
        'spec.podReplacementPolicy: Unsupported value: "Some": supported values: "Failed", "TerminatingOrFailed"',
      ],
    ],
    [
      'whose pods come again though failures are told apart',
      { podFailurePolicy: { rules: [] }, template: template({ restartPolicy: 'OnFailure' }), podReplacementPolicy: 'TerminatingOrFailed' },
      [
        'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
        'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
      ],
    ],
    [
      'of a controller without a domain',
      { managedBy: 'me' },
      ['spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")'],
    ],
  ])('%s', (_, spec, errors) => {
    expect(created(job, of(spec)).errors).toEqual(errors)
  })

  it('by index has a name that its pods can have', () => {
    const name = 'x'.repeat(62)
    expect(created(job, { metadata: { name }, ...of({ ...INDEXED, completions: 1 }) }).errors).toEqual([
      `metadata.name: Invalid value: "${name}": will not able to create pod with invalid DNS label: ${name}-0`,
    ])
  })

  const immutable = (field: string) => expect.stringMatching(new RegExp(`^spec\\.${field}: Invalid value: .*: field is immutable$`, 's'))
  it.each<[what: string, old: Loose, change: (spec: Job['spec']) => void, errors: unknown[]]>([
    ['runs more at once', of(), (spec) => (spec.parallelism = 5), []],
    ['keeps what is to be done', of(), (spec) => (spec.completions = 5), [immutable('completions')]],
    ['grows by index', of(INDEXED), (spec) => Object.assign(spec, { completions: 5, parallelism: 5 }), []],
    [
      'grows by index with as many at once',
      of(INDEXED),
      (spec) => (spec.completions = 5),
      ['spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism'],
    ],
    ['keeps its template', of(), ({ template }) => (template.spec.nodeSelector = { a: 'b' }), [immutable('template')]],
    ['may go elsewhere before it begins', of({ suspend: true }), ({ template }) => (template.spec.nodeSelector = { a: 'b' }), []],
    [
      'may not once it has begun',
      of({ suspend: true }, { startTime: '2026-01-01T00:10:00Z' }),
      ({ template }) => (template.spec.nodeSelector = { a: 'b' }),
      [immutable('template')],
    ],
    ['keeps its mode', of(INDEXED), (spec) => (spec.completionMode = 'NonIndexed'), [immutable('completionMode')]],
    ['keeps its controller', of(), (spec) => (spec.managedBy = 'a.b/c'), [immutable('managedBy')]],
  ])('%s', (_, old, change, errors) => {
    const outcome = updated(job, stored(job, old), ({ spec }) => {
      change(spec)
    })
    expect(outcome.errors).toEqual(errors)
  })

  it('counts each pod once', () => {
    const outcome = statusUpdated(job, stored(job, of()), ({ status }) => {
      Object.assign(status, { active: -1, uncountedTerminatedPods: { succeeded: ['a'], failed: ['a', ''] } })
    })
    expect(outcome.errors).toEqual([
      'status.active: Invalid value: -1: must be greater than or equal to 0',
      'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
      'status.uncountedTerminatedPods.failed[1]: Invalid value: "": must not be empty',
    ])
  })

  it('warns of a name that pods cannot have', () => {
    const { object } = created(job, { metadata: { name: 'a.b' }, ...of() })
    expect(job.strategy.warnings?.(object, null)).toEqual([
      'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]',
    ])
    expect(job.strategy.warnings?.(object, object)).toEqual([])
  })
})

describe('what a table shows of a job', () => {
  const condition = (type: string, status = 'True') => ({ conditions: [{ type, status }] })
  it.each<[expected: Loose, spec: Loose, status: Loose]>([
    [{ Status: 'Running', Completions: '0/1', Duration: '', Age: '60m' }, {}, {}],
    [{ Status: 'Running', Duration: '30m' }, {}, { startTime: '2026-01-01T00:30:00Z' }],
    [
      { Status: 'Complete', Completions: '3/3', Duration: '90s' },
      { completions: 3 },
      { ...condition('Complete'), succeeded: 3, startTime: '2026-01-01T00:30:00Z', completionTime: '2026-01-01T00:31:30Z' },
    ],
    [{ Status: 'Failed' }, {}, condition('Failed')],
    [{ Status: 'Suspended' }, { suspend: true }, condition('Suspended')],
    [{ Status: 'Running' }, {}, condition('Suspended', 'False')],
    [{ Status: 'FailureTarget' }, {}, condition('FailureTarget')],
    [{ Completions: '2/1 of 3' }, { parallelism: 3 }, { succeeded: 2 }],
    [{ Selector: 'batch.kubernetes.io/controller-uid=u-1', Containers: 'app' }, {}, {}],
  ])('%j', (expected, spec, status) => {
    expect(row(job, stored(job, of(spec, status)))).toMatchObject(expected)
  })

  it('Terminating', () => {
    const object = stored(job, of())
    object.metadata.deletionTimestamp = '2026-01-01T00:50:00Z'
    expect(row(job, object)['Status']).toBe('Terminating')
  })
})
