import { describe, expect, it } from 'vitest'
import { container, testPod, type Loose } from '../../testing/objects.ts'
import { podColumns } from './pod-columns.ts'

const NOW = Date.parse('2026-01-01T01:00:00Z')

function row(spec: Loose, status: Loose, metadata: Loose = {}): Record<string, unknown> {
  const pod = testPod(spec, metadata, status)
  return Object.fromEntries(podColumns.map((column) => [column.name, column.value(pod, NOW)]))
}

const status = (name: string, more: Loose = {}) => ({ name, ...more })
const running = (name = 'app', more: Loose = {}) => status(name, { state: { running: {} }, ready: true, ...more })
const waiting = (reason: string, name = 'app', more: Loose = {}) => status(name, { state: { waiting: { reason } }, ...more })
const ended = (more: Loose, name = 'app') => status(name, { state: { terminated: { exitCode: 0, ...more } } })
const init = (...names: string[]) => ({ initContainers: names.map((name) => container({ name })) })
const sidecar = (name: string) => ({ initContainers: [container({ name, restartPolicy: 'Always' })] })
const finished = (finishedAt: string) => ({ lastState: { terminated: { exitCode: 1, finishedAt } } })

describe('the columns of a pod', () => {
  const cases: [what: string, spec: Loose, status: Loose, expected: [ready: string, status: string, restarts: string], metadata?: Loose][] =
    [
      ['not yet placed', {}, { phase: 'Pending' }, ['0/1', 'Pending', '0']],
      [
        'gated',
        {},
        { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
        ['0/1', 'SchedulingGated', '0'],
      ],
      ['being set up', {}, { phase: 'Pending', containerStatuses: [waiting('ContainerCreating')] }, ['0/1', 'ContainerCreating', '0']],
      ['running', {}, { phase: 'Running', containerStatuses: [running()] }, ['1/1', 'Running', '0']],
      [
        'crashing',
        {},
        {
          phase: 'Running',
          containerStatuses: [waiting('CrashLoopBackOff', 'app', { restartCount: 3, ...finished('2026-01-01T00:55:00Z') })],
        },
        ['0/1', 'CrashLoopBackOff', '3 (5m ago)'],
      ],
      ['ended by a signal', {}, { phase: 'Running', containerStatuses: [ended({ exitCode: 137, signal: 9 })] }, ['0/1', 'Signal:9', '0']],
      ['ended with a code', {}, { phase: 'Running', containerStatuses: [ended({ exitCode: 2 })] }, ['0/1', 'ExitCode:2', '0']],
      ['done', {}, { phase: 'Succeeded', containerStatuses: [ended({ reason: 'Completed' })] }, ['0/1', 'Completed', '0']],
      [
        'half done and ready',
        { containers: [container(), container({ name: 'b' })] },
        {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'True' }],
          containerStatuses: [ended({ reason: 'Completed' }), running('b')],
        },
        ['1/2', 'Running', '0'],
      ],
      [
        'half done and not ready',
        { containers: [container(), container({ name: 'b' })] },
        { phase: 'Running', containerStatuses: [ended({ reason: 'Completed' }), running('b')] },
        ['1/2', 'NotReady', '0'],
      ],
      ['evicted', {}, { phase: 'Failed', reason: 'Evicted' }, ['0/1', 'Evicted', '0']],
      [
        'initialising',
        init('a', 'b'),
        { phase: 'Pending', initContainerStatuses: [ended({}, 'a'), running('b')], containerStatuses: [waiting('PodInitializing')] },
        ['0/1', 'Init:1/2', '0'],
      ],
      [
        'unable to initialise',
        init('a'),
        { phase: 'Pending', initContainerStatuses: [waiting('ImagePullBackOff', 'a', { restartCount: 2 })] },
        ['0/1', 'Init:ImagePullBackOff', '2'],
      ],
      [
        'failed to initialise',
        init('a'),
        { phase: 'Failed', initContainerStatuses: [ended({ exitCode: 3 }, 'a')] },
        ['0/1', 'Init:ExitCode:3', '0'],
      ],
      [
        'running beside a sidecar',
        sidecar('s'),
        {
          phase: 'Running',
          initContainerStatuses: [running('s', { started: true, restartCount: 1, ...finished('2026-01-01T00:59:00Z') })],
          containerStatuses: [running()],
        },
        ['2/2', 'Running', '1 (60s ago)'],
      ],
      [
        'going',
        {},
        { phase: 'Running', containerStatuses: [running()] },
        ['1/1', 'Terminating', '0'],
        { deletionTimestamp: '2026-01-01T00:59:00Z' },
      ],
      ['gone but kept', {}, { phase: 'Succeeded' }, ['0/1', 'Succeeded', '0'], { deletionTimestamp: '2026-01-01T00:59:00Z' }],
      [
        'lost with its node',
        {},
        { phase: 'Running', reason: 'NodeLost' },
        ['0/1', 'Unknown', '0'],
        { deletionTimestamp: '2026-01-01T00:59:00Z' },
      ],
    ]
  it.each(cases)('%s', (_, spec, state, [ready, reason, restarts], metadata = {}) => {
    expect(row(spec, state, metadata)).toMatchObject({ Ready: ready, Status: reason, Restarts: restarts, Age: '60m' })
  })

  it('says where it runs', () => {
    expect(row({}, {})).toMatchObject({ IP: '<none>', Node: '<none>', 'Nominated Node': '<none>', 'Readiness Gates': '<none>' })
    const gates = { readinessGates: [{ conditionType: 'a' }, { conditionType: 'b' }], nodeName: 'n' }
    expect(row(gates, { podIP: '10.0.0.1', conditions: [{ type: 'a', status: 'True' }] })).toMatchObject({
      IP: '10.0.0.1',
      Node: 'n',
      'Readiness Gates': '1/2',
    })
  })
})
