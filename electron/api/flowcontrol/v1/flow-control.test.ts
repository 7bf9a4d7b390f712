import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, stored } from '../../testing/rules.ts'
import { flowSchema } from './flow-schema.ts'
import { priorityLevelConfiguration } from './priority-level-configuration.ts'

const user = { kind: 'User', user: { name: 'ada' } }
const pods = { verbs: ['get'], apiGroups: [''], resources: ['pods'], namespaces: ['*'] }
const schema = (more: Loose = {}): Loose => ({
  spec: { priorityLevelConfiguration: { name: 'level' }, rules: [{ subjects: [user], resourceRules: [pods] }], ...more },
})
const queued = (queuing: Loose, more: Loose = {}): Loose => ({
  spec: { type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing }, ...more } },
})

describe('a flow schema', () => {
  it('comes after more pressing ones, unless it says otherwise', () => {
    const { object, errors } = created(flowSchema, schema())
    expect(errors).toEqual([])
    expect(object.spec.matchingPrecedence).toBe(1000)
    expect(row(flowSchema, object)).toMatchObject({ PriorityLevel: 'level', MissingPL: '?' })
  })

  it.each<[what: string, manifest: Loose, errors: string[]]>([
    [
      'of the first rank',
      schema({ matchingPrecedence: 1 }),
      ["spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"],
    ],
    [
      'of no rank',
      schema({ matchingPrecedence: 10_001 }),
      ['spec.matchingPrecedence: Invalid value: 10001: must be in the range 1 through 10000'],
    ],
    [
      'of no level',
      schema({ priorityLevelConfiguration: { name: '' } }),
      ['spec.priorityLevelConfiguration.name: Required value: must reference a priority level'],
    ],
    [
      'for nobody and nothing',
      schema({ rules: [{ subjects: [] }] }),
      [
        'spec.rules[0].subjects: Required value: subjects must contain at least one value',
        'spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty',
      ],
    ],
    [
      'for those who have no name',
      schema({
        rules: [
          { subjects: [{ kind: 'User' }, { kind: 'ServiceAccount', serviceAccount: { name: 'a', namespace: '' } }], resourceRules: [pods] },
        ],
      }),
      [
        "spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User'",
        'spec.rules[0].subjects[1].serviceAccount.namespace: Required value',
      ],
    ],
    [
      'of requests that cannot be',
      schema({
        rules: [
          {
            subjects: [user],
            resourceRules: [{ ...pods, verbs: ['*', 'get'], namespaces: [] }],
            nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['healthz', '/a*b'] }],
          },
        ],
      }),
      [
        'spec.rules[0].resourceRules[0].verbs: Invalid value: ["*","get"]: if \'*\' is present, must not specify other values',
        'spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace',
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "healthz": must start with slash',
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/a*b": wildcards can only be at the end: \'/foo/*\'',
      ],
    ],
  ])('%s', (_, manifest, errors) => {
    expect(created(flowSchema, manifest).errors).toEqual(errors)
  })
})

describe('a priority level', () => {
  it('has shares and queues, also if it does not say so', () => {
    const { object, errors } = created(priorityLevelConfiguration, queued({}))
    expect(errors).toEqual([])
    expect(object.spec.limited).toMatchObject({
      nominalConcurrencyShares: 30,
      lendablePercent: 0,
      limitResponse: { queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 } },
    })
    expect(row(priorityLevelConfiguration, stored(priorityLevelConfiguration, queued({})))).toMatchObject({ Queues: '64', HandSize: '8' })
  })

  it.each<[what: string, manifest: Loose, errors: string[]]>([
    ['of no kind', { spec: { type: 'Other' } }, ['spec.type: Unsupported value: "Other": supported values: "Exempt", "Limited"']],
    [
      'that limits nothing',
      { spec: { type: 'Exempt' } },
      ["spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if `name` is 'exempt'"],
    ],
    ['without limits', { spec: { type: 'Limited' } }, ['spec.limited: Required value: must not be empty']],
    [
      'that lends more than it has',
      queued({}, { lendablePercent: 101 }),
      ['spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive'],
    ],
    [
      'with a hand greater than the deck',
      queued({ queues: 4, handSize: 5 }),
      ['spec.limited.limitResponse.queuing.handSize: Invalid value: 5: should not be greater than queues (4)'],
    ],
    [
      'with more hands than a hash can tell apart',
      queued({ queues: 512, handSize: 8 }),
      [
        'spec.limited.limitResponse.queuing.handSize: Invalid value: 8: required entropy bits of deckSize 512 and handSize 8 should not be greater than 60',
      ],
    ],
    [
      'that refuses and queues',
      { spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject', queuing: {} } } } },
      ["spec.limited.limitResponse.queuing: Forbidden: must be nil if limited.limitResponse.type is not 'Limited'"],
    ],
  ])('%s', (_, manifest, errors) => {
    expect(created(priorityLevelConfiguration, manifest).errors).toEqual(errors)
  })

  it('is not changed where every server needs it as it is', () => {
    const spec = { type: 'Limited', limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } } }
    const named = (more: Loose) => ({ metadata: { name: 'catch-all' }, spec: { ...spec, limited: { ...spec.limited, ...more } } })
    expect(created(priorityLevelConfiguration, named({})).errors).toEqual([])
    expect(created(priorityLevelConfiguration, named({ nominalConcurrencyShares: 6 })).errors).toEqual([
      expect.stringContaining("spec of 'catch-all' must equal the fixed value") as string,
    ])
    expect(created(flowSchema, { metadata: { name: 'catch-all' }, ...schema() }).errors).toEqual([
      expect.stringContaining("spec of 'catch-all' must equal the fixed value") as string,
    ])
  })

  it('may be the one that limits nothing', () => {
    expect(created(priorityLevelConfiguration, { metadata: { name: 'exempt' }, spec: { type: 'Exempt', exempt: {} } }).errors).toEqual([])
  })
})
