import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, statusUpdated, stored } from '../../testing/rules.ts'
import { podDisruptionBudget } from './pod-disruption-budget.ts'

const of = (more: Loose): Loose => ({ spec: { selector: { matchLabels: { a: 'b' } }, ...more } })

describe('a disruption budget', () => {
  it.each<[what: string, manifest: Loose, errors: string[]]>([
    ['of a number', of({ minAvailable: 1 }), []],
    ['of a share', of({ maxUnavailable: '50%', unhealthyPodEvictionPolicy: 'AlwaysAllow' }), []],
    ['of too much', of({ minAvailable: '101%' }), ['spec.minAvailable: Invalid value: "101%": must not be greater than 100%']],
    ['of less than nothing', of({ maxUnavailable: -1 }), ['spec.maxUnavailable: Invalid value: -1: must be greater than or equal to 0']],
    [
      'with an unknown policy',
      of({ unhealthyPodEvictionPolicy: 'Sometimes' }),
      ['spec.unhealthyPodEvictionPolicy: Unsupported value: "Sometimes": supported values: "AlwaysAllow", "IfHealthyBudget"'],
    ],
  ])('%s', (_, manifest, errors) => {
    expect(created(podDisruptionBudget, manifest).errors).toEqual(errors)
  })

  it('says one of two things', () => {
    const { errors } = created(podDisruptionBudget, of({ minAvailable: 1, maxUnavailable: 1 }))
    expect(errors).toEqual([expect.stringContaining('minAvailable and maxUnavailable cannot be both set') as string])
  })

  it('allows nothing until somebody counted', () => {
    expect(created(podDisruptionBudget, { ...of({}), status: { disruptionsAllowed: 7 } }).object.status).toMatchObject({
      disruptionsAllowed: 0,
    })
  })

  it('has a status of counts', () => {
    const old = stored(podDisruptionBudget, of({ minAvailable: 1 }))
    expect(statusUpdated(podDisruptionBudget, old, ({ status }) => void (status.expectedPods = -1)).errors).toEqual([
      'status.expectedPods: Invalid value: -1: must be greater than or equal to 0',
    ])
  })

  it('shows what it says, and what it does not', () => {
    expect(row(podDisruptionBudget, stored(podDisruptionBudget, of({ minAvailable: '50%' })))).toMatchObject({
      'Min Available': '50%',
      'Max Unavailable': 'N/A',
      'Allowed Disruptions': 0,
    })
  })
})
