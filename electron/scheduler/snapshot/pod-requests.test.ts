import { describe, expect, it } from 'vitest'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { podOf } from '../testing/objects.ts'
import { DEFAULT_MEMORY, DEFAULT_MILLI_CPU, podRequests } from './pod-requests.ts'

const cpuOf = (pod: Pod) => podRequests(pod).requests.milliCpu

describe('podRequests', () => {
  it('adds the overhead to the sum of the containers', () => {
    expect(cpuOf(podOf('web', { requests: { cpu: '1' }, spec: { overhead: { cpu: '250m' } } }))).toBe(1250)
  })

  it('takes the pod’s own requests in place of those of its containers', () => {
    expect(cpuOf(podOf('web', { requests: { cpu: '1' }, spec: { resources: { requests: { cpu: '3' } } } }))).toBe(3000)
  })

  it('counts what a resized pod wants, was granted and has, whichever is most', () => {
    const pod = podOf('web', { requests: { cpu: '1' } })
    const status = { ...pod.status, containerStatuses: [{ name: 'app', resources: { requests: { cpu: '2' } } }] }
    expect(cpuOf({ ...pod, status } as unknown as Pod)).toBe(2000)
    const infeasible = { ...status, conditions: [{ type: 'PodResizePending', status: 'True', reason: 'Infeasible' }] }
    const wantsMore = podOf('web', { requests: { cpu: '9' } })
    expect(cpuOf({ ...wantsMore, status: infeasible } as unknown as Pod)).toBe(2000)
  })

  it('fills in defaults for what a container does not ask for, in scores only', () => {
    const { requests, nonZero } = podRequests(podOf('web'))
    expect([requests.milliCpu, requests.memory]).toEqual([0, 0])
    expect(nonZero).toEqual({ milliCpu: DEFAULT_MILLI_CPU, memory: DEFAULT_MEMORY })
  })
})
