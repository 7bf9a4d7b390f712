import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, decoded, row, statusUpdated, stored, updated } from '../../testing/rules.ts'
import { resourceQuota } from './resource-quota.ts'

const selector = (...matchExpressions: Loose[]) => ({ scopeSelector: { matchExpressions } })

describe('a quota', () => {
  it.each<[what: string, spec: Loose, errors: string[]]>([
    ['an ordinary one', { hard: { pods: '4', 'requests.cpu': '1', 'count/jobs.batch': '3', 'requests.nvidia.com/gpu': '2' } }, []],
    [
      'of what cannot be counted',
      { hard: { gpu: '1', pods: '1.5', cpu: '-1' } },
      [
        'spec.hard[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
        'spec.hard[gpu]: Invalid value: "gpu": must be a standard resource for quota',
        'spec.hard[pods]: Invalid value: "1500m": must be an integer',
        'spec.hard[cpu]: Invalid value: "-1": must be greater than or equal to 0',
      ],
    ],
    [
      'of opposite scopes',
      { hard: { pods: '1' }, scopes: ['BestEffort', 'NotBestEffort'] },
      ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes'],
    ],
    [
      'of a scope that cannot count it',
      { hard: { cpu: '1', pods: '1' }, scopes: ['BestEffort'] },
      ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
    ],
    ['of an unknown scope', { scopes: ['Some'] }, ['spec.scopes: Invalid value: ["Some"]: unsupported scope']],
    ['of some classes', { hard: { pods: '1' }, ...selector({ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }) }, []],
    [
      'of classes that it does not name',
      selector({ scopeName: 'PriorityClass', operator: 'In' }),
      [
        "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      ],
    ],
    [
      'that names what cannot be chosen from',
      selector(
        { scopeName: 'Terminating', operator: 'In', values: ['a'] },
        { scopeName: 'PriorityClass', operator: 'Exists', values: ['a'] },
      ),
      [
        'spec.scopeSelector.matchExpressions.operator: Invalid value: "In": must be \'Exists\' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity',
        "spec.scopeSelector.matchExpressions.values: Invalid value: [\"a\"]: must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
      ],
    ],
    [
      'with an operator that does not exist',
      selector({ scopeName: 'PriorityClass', operator: 'Gt' }),
      ['spec.scopeSelector.matchExpressions.operator: Invalid value: "Gt": not a valid selector operator'],
    ],
  ])('%s', (_, spec, errors) => {
    expect(created(resourceQuota, { spec }).errors).toEqual(errors)
  })

  it('keeps its scopes', () => {
    const old = stored(resourceQuota, { spec: { hard: { pods: '1' }, scopes: ['BestEffort'] } })
    const more = updated(resourceQuota, old, ({ spec }) => {
      spec.hard = { pods: '2' }
    })
    expect(more.errors).toEqual([])
    const other = updated(resourceQuota, old, ({ spec }) => {
      spec.scopes = ['NotBestEffort']
    })
    expect(other.errors).toEqual(['spec.scopes: Invalid value: ["NotBestEffort"]: field is immutable'])
  })

  it('counts in whole thousandths', () => {
    expect(decoded(resourceQuota, { spec: { hard: { cpu: '1u', memory: '100n' } } }).spec.hard).toEqual({ cpu: '1m', memory: '1m' })
  })

  it('reports amounts that there can be', () => {
    const outcome = statusUpdated(resourceQuota, stored(resourceQuota), ({ status }) => {
      status.used = { pods: '-1' }
    })
    expect(outcome.errors).toEqual(['status.used[pods]: Invalid value: "-1": must be greater than or equal to 0'])
  })

  it('is shown with requests and limits apart', () => {
    const hard = { pods: '4', cpu: '2', 'limits.cpu': '4' }
    expect(row(resourceQuota, stored(resourceQuota, { status: { hard, used: { pods: '1', 'limits.cpu': '500m' } } }))).toEqual({
      Request: 'cpu: 0/2, pods: 1/4',
      Limit: 'limits.cpu: 500m/4',
      Age: '60m',
    })
  })
})
