import { describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, shallowRef } from 'vue'
import type { Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import type { Step } from '../../actions/plan.ts'
import { StatusFailure } from '../../face/failure.ts'
import { useDrain } from './drain.ts'

function pod(name: string, owner: string | null, more: Partial<Pod['spec']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '',
      ...(owner ? { ownerReferences: [{ apiVersion: 'apps/v1', kind: owner, name: 'o', uid: 'o', controller: true }] } : {}),
    },
    spec: { containers: [], nodeName: 'skiff', ...more },
    status: { phase: 'Running' },
  }
}

function drain(pods: Pod[], perform: (step: Step) => Promise<unknown>) {
  const list = shallowRef(pods)
  const scope = effectScope()
  const it_ = scope.run(() => useDrain({ node: () => 'skiff', pods: () => list.value, perform }))
  if (!it_) throw new Error('no scope')
  return { drain: it_, list, scope }
}

describe('draining', () => {
  it('foretells what moves, what stays and what is lost', () => {
    const { drain: d } = drain(
      [pod('web', 'ReplicaSet', { volumes: [{ name: 'cache', emptyDir: {} }] }), pod('agent', 'DaemonSet'), pod('alone', null)],
      async () => undefined,
    )
    expect(d.rows.value.map((row) => [row.pod.metadata.name, row.fate, row.loses])).toEqual([
      ['web', 'moves', ['cache']],
      ['agent', 'stays', []],
      ['alone', 'lost', []],
    ])
  })

  it('closes the node first, then asks for evictions, and is done when the pods are gone', async () => {
    const made: string[] = []
    const { drain: d, list } = drain(
      [pod('web', 'ReplicaSet'), pod('agent', 'DaemonSet')],
      async (step) => void made.push(`${step.call.method} ${step.call.path}`),
    )
    await d.start()
    expect(made).toEqual(['PATCH /api/v1/nodes/skiff', 'POST /api/v1/namespaces/shop/pods/web/eviction'])
    expect(d.finished.value).toBe(false)
    list.value = list.value.filter((p) => p.metadata.name !== 'web')
    await nextTick()
    expect(d.finished.value).toBe(true)
    expect(d.running.value).toBe(false)
    expect(d.rows.value.find((row) => row.pod.metadata.name === 'web')?.state).toBe('gone')
  })

  it('waits and asks again where a disruption budget puts it off, until it is stopped', async () => {
    vi.useFakeTimers()
    let asked = 0
    const { drain: d, scope } = drain([pod('web', 'ReplicaSet')], async (step) => {
      if (!step.call.path.endsWith('/eviction')) return
      asked++
      throw new StatusFailure(429, { kind: 'Status', message: 'would violate the budget', reason: 'TooManyRequests' })
    })
    await d.start()
    expect(d.rows.value[0]).toMatchObject({ state: 'blocked', why: 'would violate the budget' })
    await vi.advanceTimersByTimeAsync(5000)
    expect(asked).toBe(2)
    d.stop()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(asked).toBe(2)
    scope.stop()
    vi.useRealTimers()
  })

  it('evicts nothing if the node cannot be closed', async () => {
    let evicted = 0
    const { drain: d } = drain([pod('web', 'ReplicaSet')], async (step) => {
      if (step.call.path.endsWith('/eviction')) evicted++
      else throw new StatusFailure(403, { kind: 'Status', message: 'no', reason: 'Forbidden' })
    })
    await d.start()
    expect([evicted, d.running.value, d.failure.value?.why]).toEqual([0, false, 'no'])
  })
})
