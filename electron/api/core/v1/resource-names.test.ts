import { expect, it } from 'vitest'
import * as names from './resource-names.ts'

it.each([
  ['cpu', true, false, true],
  ['memory', true, false, true],
  ['hugepages-2Mi', true, false, false],
  ['kubernetes.io/foo', true, false, true],
  ['nvidia.com/gpu', false, true, false],
  ['requests.nvidia.com/gpu', false, false, false],
  [`${'x'.repeat(250)}.com/gpu`, false, false, false],
])('%s: native %s, extended %s, overcommitted %s', (name, native, extended, overcommit) => {
  expect([names.isNativeResource(name), names.isExtendedResource(name), names.isOvercommitAllowed(name)]).toEqual([
    native,
    extended,
    overcommit,
  ])
})

it.each([
  ['cpu', true, true, true, false],
  ['storage', true, false, false, false],
  ['pods', true, false, true, true],
  ['requests.cpu', true, false, true, false],
  ['requests.hugepages-1Gi', true, false, true, false],
  ['hugepages-1Gi', true, true, true, false],
  ['services.nodeports', true, false, true, true],
  ['gpu', false, false, false, false],
  ['nvidia.com/gpu', false, false, false, true],
])('%s: standard %s, of containers %s, of quotas %s, whole %s', (name, standard, container, quota, whole) => {
  expect([
    names.isStandardResource(name),
    names.isStandardContainerResource(name),
    names.isStandardQuotaResource(name),
    names.isIntegerResource(name),
  ]).toEqual([standard, container, quota, whole])
})

it('knows the size of huge pages by their name', () => {
  expect(names.hugePageSize('hugepages-2Mi')).toBe('2Mi')
})
