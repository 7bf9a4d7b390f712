import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, decoded } from '../../testing/rules.ts'
import { limitRange } from './limit-range.ts'

const of = (...limits: Loose[]) => ({ spec: { limits } })
const container = (more: Loose) => of({ type: 'Container', ...more })

describe('a limit range', () => {
  it.each<[what: string, given: Loose, expected: Loose]>([
    ['the most is the limit and the request', { max: { cpu: '2' } }, { default: { cpu: '2' }, defaultRequest: { cpu: '2' } }],
    ['the least is the request', { min: { cpu: '1' } }, { defaultRequest: { cpu: '1' } }],
    ['the limit is the request', { default: { cpu: '1' }, min: { cpu: '500m' } }, { defaultRequest: { cpu: '1' } }],
    [
      'what is said stays',
      { max: { cpu: '2' }, default: { cpu: '1' }, defaultRequest: { cpu: '500m' } },
      { default: { cpu: '1' }, defaultRequest: { cpu: '500m' } },
    ],
  ])('means that %s', (_, given, expected) => {
    expect(decoded(limitRange, container(given)).spec.limits[0]).toMatchObject(expected)
  })

  it('means nothing more for pods', () => {
    expect(decoded(limitRange, of({ type: 'Pod', max: { cpu: '1' } })).spec.limits).toEqual([{ type: 'Pod', max: { cpu: '1' } }])
  })

  it.each<[what: string, manifest: Loose, errors: string[]]>([
    ['ordinary', of({ type: 'Pod', max: { cpu: '4' } }, { type: 'Container', min: { cpu: '1' }, max: { cpu: '2' } }), []],
    [
      'of another type',
      of({ type: 'Node' }, { type: 'a.b/c' }),
      ['spec.limits[0].type: Invalid value: "Node": must be a standard limit type or fully qualified'],
    ],
    ['of one type twice', of({ type: 'Pod' }, { type: 'Pod' }), ['spec.limits[1].type: Duplicate value: "Pod"']],
    [
      'of pods with requests',
      of({ type: 'Pod', default: { cpu: '1' }, defaultRequest: { cpu: '1' } }),
      [
        "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
        "spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod'",
      ],
    ],
    [
      'of what containers do not have',
      container({ max: { storage: '1Gi' } }),
      [
        'spec.limits[0].max[storage]: Invalid value: "storage": must be a standard resource for containers',
        'spec.limits[0].default[storage]: Invalid value: "storage": must be a standard resource for containers',
        'spec.limits[0].defaultRequest[storage]: Invalid value: "storage": must be a standard resource for containers',
      ],
    ],
    [
      'of claims without a size',
      of({ type: 'PersistentVolumeClaim', max: { cpu: '1' } }),
      ['spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided'],
    ],
    [
      'that contradicts itself',
      container({ min: { cpu: '3' }, max: { cpu: '2' }, default: { cpu: '1' }, defaultRequest: { cpu: '4' } }),
      [
        'spec.limits[0].min[cpu]: Invalid value: "3": min value 3 is greater than max value 2',
        'spec.limits[0].defaultRequest[cpu]: Invalid value: "4": default request value 4 is greater than max value 2',
        'spec.limits[0].defaultRequest[cpu]: Invalid value: "4": default request value 4 is greater than default limit value 1',
        'spec.limits[0].default[cpu]: Invalid value: "3": min value 3 is greater than default value 1',
      ],
    ],
    [
      'of ratios that cannot be',
      of({ type: 'Pod', min: { cpu: '1' }, max: { cpu: '2' }, maxLimitRequestRatio: { cpu: '3', memory: '500m' } }),
      [
        'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000',
        'spec.limits[0].maxLimitRequestRatio[memory]: Invalid value: "500m": ratio 500m is less than 1',
      ],
    ],
    [
      'of what cannot be shared',
      container({ default: { 'a.b/c': '2' }, defaultRequest: { 'a.b/c': '1' } }),
      ['spec.limits[0].defaultRequest[a.b/c]: Invalid value: "1": default value 2 must equal to defaultRequest value 1 in a.b/c'],
    ],
  ])('%s', (_, manifest, errors) => {
    expect(created(limitRange, manifest).errors).toEqual(errors)
  })
})
