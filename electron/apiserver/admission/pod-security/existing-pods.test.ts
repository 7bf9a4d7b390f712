import { expect, it } from 'vitest'
import type { Pod } from '../../../api/core/v1/types.gen.ts'
import { FakeClock } from '../../../base/fake-clock.ts'
import { existingPodWarnings, MAX_PODS } from './existing-pods.ts'

const BASELINE = { level: 'baseline', minor: Infinity } as const

function pod(name: string, controller?: string, hostPID = true): Pod {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: controller ?? '', controller: true }
  const metadata = { name, namespace: 'n', ...(controller === undefined ? {} : { ownerReferences: [owner] }) }
  return { metadata, spec: { hostPID, containers: [] } } as unknown as Pod
}

it('says nothing of pods that are as they should be', () => {
  expect(existingPodWarnings('n', BASELINE, [pod('p', undefined, false)], new FakeClock())).toEqual([])
})

it('looks at one pod of each controller before the others, and at so many only', () => {
  const many = Array.from({ length: MAX_PODS + 5 }, (_none, i) => pod(`many-${i}`, 'one', false))
  const warnings = existingPodWarnings('n', BASELINE, [...many, pod('last', 'other'), pod('alone')], new FakeClock())
  expect(warnings).toEqual([
    `new PodSecurity enforce level only checked against the first ${MAX_PODS} of ${MAX_PODS + 7} existing pods`,
    'existing pods in namespace "n" violate the new PodSecurity enforce level "baseline:latest"',
    'alone (and 1 other pod): host namespaces',
  ])
})

it('stops when it takes too long', () => {
  let asked = 0
  class SlowClock extends FakeClock {
    override monotonic = () => 400 * asked++
  }
  expect(existingPodWarnings('n', BASELINE, [pod('a'), pod('b'), pod('c'), pod('d')], new SlowClock())).toEqual([
    'new PodSecurity enforce level only checked against the first 3 of 4 existing pods',
    'existing pods in namespace "n" violate the new PodSecurity enforce level "baseline:latest"',
    'a (and 2 other pods): host namespaces',
  ])
})
