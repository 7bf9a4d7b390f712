import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { Diagnosis } from '../framework/diagnosis.ts'
import { unresolvable, unschedulable } from '../framework/status.ts'
import { QueuedPod } from '../queue/queued-pod.ts'
import { PodInfo } from '../snapshot/pod-info.ts'
import { startCluster } from '../testing/cluster.ts'
import { NAMESPACE, podOf } from '../testing/objects.ts'
import { AttemptLedger } from './attempt-ledger.ts'

const TAINT = [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] as const

describe('explain', () => {
  it('says what every filter says of every node, the nearest node first', async () => {
    await using cluster = await startCluster()
    await cluster.addNode('far', { cpu: '1', taints: TAINT, unschedulable: true })
    await cluster.addNode('near', { cpu: '1' })
    await cluster.addPod('web', { requests: { cpu: '2' } })
    await cluster.quiet()
    const explanation = cluster.scheduler.explain(NAMESPACE, 'web')
    expect(explanation?.nodes.map(({ node, fits }) => [node, fits])).toEqual([
      ['near', false],
      ['far', false],
    ])
    const refusals = explanation?.nodes[1]?.filters.filter(({ verdict }) => verdict === 'refused').map(({ plugin }) => plugin)
    expect(refusals).toEqual(['NodeUnschedulable', 'TaintToleration', 'NodeResourcesFit'])
    const fit = explanation?.nodes[0]?.filters.find(({ plugin }) => plugin === 'NodeResourcesFit')
    expect(fit).toMatchObject({ verdict: 'refused', evidence: [{ resource: 'cpu', requested: 2000, free: 1000, short: 1000 }] })
    const ports = explanation?.nodes[0]?.filters.find(({ plugin }) => plugin === 'NodePorts')
    expect(ports?.verdict).toBe('skipped')
  })

  it('keeps what the last attempt found: each node’s first refusal, when, and how often it was tried', async () => {
    await using cluster = await startCluster()
    await cluster.addNode('far', { cpu: '1', taints: TAINT })
    await cluster.addNode('near', { cpu: '1' })
    await cluster.addPod('web', { requests: { cpu: '2' } })
    await cluster.quiet()
    const { message } = (await cluster.scheduled('web')) ?? {}
    const last = cluster.scheduler.explain(NAMESPACE, 'web')?.lastAttempt
    expect(last).toMatchObject({ pod: 'test/web', outcome: 'refused', attempt: 1, nodes: 2, at: cluster.clock.now(), message })
    expect(last?.verdicts?.map(({ node, plugin, resolvable }) => [node, plugin, resolvable])).toEqual([
      ['far', 'TaintToleration', false],
      ['near', 'NodeResourcesFit', false],
    ])
  })

  it('shows the scores of nodes that would do now', async () => {
    await using cluster = await startCluster()
    await cluster.addNode('a')
    await cluster.addNode('b')
    await cluster.addPod('web', { spec: { schedulingGates: [{ name: 'example.com/wait' }] } })
    await cluster.quiet()
    const explanation = cluster.scheduler.explain(NAMESPACE, 'web')
    expect(explanation).toMatchObject({ message: 'waiting for scheduling gates: [example.com/wait]', scores: null })
    expect(explanation?.nodes.map(({ fits }) => fits)).toEqual([false, false])
  })

  it('knows nothing of pods that are on nodes, or not at all', async () => {
    await using cluster = await startCluster()
    await cluster.addNode('a')
    await cluster.addPod('web')
    await cluster.quiet()
    expect([cluster.scheduler.explain(NAMESPACE, 'web'), cluster.scheduler.explain(NAMESPACE, 'none')]).toEqual([undefined, undefined])
  })
})

describe('AttemptLedger', () => {
  const queued = (name: string) => new QueuedPod(new PodInfo(podOf(name)), 0)
  const refused = (nodes: number) => {
    const diagnosis = new Diagnosis()
    for (let i = 0; i < nodes; i++) diagnosis.statuses.set(`n${i}`, unschedulable('Fit', ['no']))
    return { nodes, message: 'no', diagnosis }
  }

  it('drops the oldest details when there are too many, but never what was said', () => {
    const ledger = new AttemptLedger(new FakeClock(), 10)
    for (const name of ['a', 'b', 'c']) ledger.refused(queued(name), refused(4))
    expect(['a', 'b', 'c'].map((name) => ledger.get(`pod-${name}`)?.verdicts?.length ?? null)).toEqual([null, 4, 4])
    expect(ledger.get('pod-a')).toMatchObject({ message: 'no', outcome: 'refused' })
  })

  it('counts a pod once that is tried again, and not at all once it is forgotten', () => {
    const ledger = new AttemptLedger(new FakeClock(), 10)
    for (let i = 0; i < 5; i++) ledger.refused(queued('a'), refused(4))
    ledger.refused(queued('b'), refused(4))
    expect(ledger.get('pod-a')?.verdicts).toHaveLength(4)
    ledger.forget('pod-a')
    ledger.refused(queued('c'), refused(4))
    expect([ledger.get('pod-a'), ledger.get('pod-b')?.verdicts?.length]).toEqual([undefined, 4])
  })

  it('keeps the scores of a pod that could not be kept where it was placed', () => {
    const ledger = new AttemptLedger(new FakeClock())
    const scores = { nodes: ['x', 'y'], plugins: [], totals: [1, 2] }
    ledger.placed(queued('a'), 'y', scores)
    ledger.failed(queued('a'), 'no answer')
    expect(ledger.get('pod-a')).toMatchObject({ outcome: 'failed', node: 'y', message: 'no answer', scores })
  })

  it('shows one verdict for all nodes that nobody had to look at', () => {
    const diagnosis = new Diagnosis()
    diagnosis.statuses.absent = unresolvable('Affinity', ['left out'])
    const ledger = new AttemptLedger(new FakeClock())
    ledger.refused(queued('a'), { nodes: 3, message: 'm', diagnosis })
    expect(ledger.get('pod-a')?.verdicts).toEqual([
      { node: null, plugin: 'Affinity', resolvable: false, reasons: ['left out'], evidence: [] },
    ])
  })
})
