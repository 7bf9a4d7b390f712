import { expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, stored } from '../../testing/rules.ts'
import { lease } from './lease.ts'

it.each<[what: string, spec: Loose, errors: string[]]>([
  ['an ordinary lease', { holderIdentity: 'a', leaseDurationSeconds: 40, leaseTransitions: 0 }, []],
  [
    'one of no length',
    { leaseDurationSeconds: 0, leaseTransitions: -1 },
    [
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
      'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
    ],
  ],
  [
    'an unknown strategy',
    { strategy: 'Some' },
    ['spec.strategy.strategy: Unsupported value: "Some": supported values: "OldestEmulationVersion"'],
  ],
  ['a strategy of somebody’s own', { strategy: 'a.b/c', preferredHolder: 'b' }, []],
  [
    'a holder that is preferred by no strategy',
    { preferredHolder: 'b' },
    ['spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined'],
  ],
])('%s', (_, spec, errors) => {
  expect(created(lease, { spec }).errors).toEqual(errors)
})

it('is shown with its holder', () => {
  expect(row(lease, stored(lease, { spec: { holderIdentity: 'a' } }))).toEqual({ Holder: 'a', Age: '60m' })
})
