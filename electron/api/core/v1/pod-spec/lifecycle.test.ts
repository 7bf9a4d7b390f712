import { describe, expect, it } from 'vitest'
import { container, shown, testPod, type Loose } from '../../../testing/objects.ts'
import { podGracePeriod, prepareNewPod, preparePodStatus } from './lifecycle.ts'
import { ephemeralContainersStrategy, resizeStrategy, validateBinding } from './parts.ts'
import { podWarnings } from './warnings.ts'

describe('a new pod', () => {
  const made = (spec: Loose, metadata: Loose = {}) => {
    const pod = testPod(spec, metadata, { phase: 'Running', message: 'forged' })
    prepareNewPod(pod)
    return pod
  }

  it('begins pending, with its class of service', () => {
    expect(made({}).status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' })
  })

  it('says so if it is gated', () => {
    expect(made({ schedulingGates: [{ name: 'a' }] }).status.conditions).toEqual([
      {
        lastTransitionTime: '2026-01-01T00:00:00Z',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
        reason: 'SchedulingGated',
        status: 'False',
        type: 'PodScheduled',
      },
    ])
  })

  it('gets what its label keys select', () => {
    const selector = () => ({ labelSelector: { matchLabels: { app: 'x' } } })
    const { spec } = made(
      {
        affinity: {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'zone', ...selector(), matchLabelKeys: ['hash', 'missing'], mismatchLabelKeys: ['tenant'] },
              { topologyKey: 'zone', matchLabelKeys: ['hash'] },
            ],
          },
        },
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', ...selector(), matchLabelKeys: ['hash'] },
        ],
      },
      { labels: { hash: '1', tenant: 't' } },
    )
    const [first, second] = spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
    expect(first?.labelSelector?.matchExpressions).toEqual([
      { key: 'hash', operator: 'In', values: ['1'] },
      { key: 'tenant', operator: 'NotIn', values: ['t'] },
    ])
    expect(second?.labelSelector).toBeUndefined()
    expect(spec.topologySpreadConstraints?.[0]?.labelSelector?.matchExpressions).toEqual([{ key: 'hash', operator: 'In', values: ['1'] }])
  })

  it.each([
    ['unconfined', { type: 'Unconfined' }],
    ['runtime/default', { type: 'RuntimeDefault' }],
    ['localhost/mine', { type: 'Localhost', localhostProfile: 'mine' }],
    ['localhost/', undefined],
  ])('takes its AppArmor profile from the annotation %s', (value, profile) => {
    const pod = made({}, { annotations: { 'container.apparmor.security.beta.kubernetes.io/app': value } })
    expect(pod.spec.containers[0]?.securityContext?.appArmorProfile).toEqual(profile)
  })
})

it('keeps what a report on a pod leaves out', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: '1' }
  const old = testPod(
    {},
    { ownerReferences: [owner] },
    {
      qosClass: 'Burstable',
      observedGeneration: 3,
      conditions: [{ type: 'Ready', status: 'True', observedGeneration: 2 }],
    },
  )
  const pod = testPod(
    {},
    {},
    {
      conditions: [
        { type: 'Ready', status: 'False' },
        { type: 'New', status: 'True' },
      ],
    },
  )
  preparePodStatus(pod, old)
  expect(pod.metadata.ownerReferences).toEqual([owner])
  expect(pod.status).toMatchObject({ qosClass: 'Burstable', observedGeneration: 3 })
  expect(pod.status.conditions).toEqual([
    { type: 'Ready', status: 'False', observedGeneration: 2 },
    { type: 'New', status: 'True' },
  ])
})

describe('how long a pod may take to end', () => {
  it.each([
    ['its own period', { nodeName: 'n' }, {}, undefined, 30],
    ['what was asked', { nodeName: 'n' }, {}, 5, 5],
    ['nothing, if it runs nowhere', {}, {}, 5, 0],
    ['nothing, if it has ended', { nodeName: 'n' }, { phase: 'Succeeded' }, 5, 0],
    ['a second, if less than nothing is asked', { nodeName: 'n', terminationGracePeriodSeconds: -9 }, {}, undefined, 1],
  ])('%s', (_, spec, status, asked, seconds) => {
    expect(podGracePeriod(testPod(spec, {}, status), asked)).toBe(seconds)
  })
})

describe('adding ephemeral containers', () => {
  const debug = { name: 'debug', image: 'busybox:1', ephemeralContainers: [] }
  const old = testPod({ nodeName: 'n' }, { resourceVersion: '1' })
  const sent = (ephemeralContainers: Loose[], more: Loose = {}) =>
    testPod({ nodeName: 'n', ephemeralContainers, ...more }, { resourceVersion: '1', labels: { a: 'b' } })
  const { ephemeralContainers: _, ...plain } = debug

  it('changes nothing else', () => {
    const pod = sent([plain], { hostname: 'x' })
    ephemeralContainersStrategy.prepareForUpdate(pod, old)
    expect(pod.spec.ephemeralContainers?.map(({ name }) => name)).toEqual(['debug'])
    expect(pod.spec.hostname).toBeUndefined()
    expect(pod.metadata.labels).toBeUndefined()
    expect(ephemeralContainersStrategy.validateUpdate(pod, old)).toEqual([])
  })

  it('does not take away or change those that are there', () => {
    const before = sent([plain])
    expect(shown(ephemeralContainersStrategy.validateUpdate(sent([]), before))).toEqual([
      'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed\n',
    ])
    const [error] = shown(ephemeralContainersStrategy.validateUpdate(sent([{ ...plain, image: 'other:1' }]), before))
    expect(error).toMatch(/^spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be changed\n/)
  })
})

describe('resizing a pod', () => {
  const sized = (requests: Loose, more: Loose = {}) =>
    testPod({ containers: [container({ resources: { requests }, ...more })] }, { resourceVersion: '1' }, { qosClass: 'Burstable' })
  const old = sized({ cpu: '1' })
  const resize = (pod: typeof old) => {
    resizeStrategy.prepareForUpdate(pod, old)
    return shown(resizeStrategy.validateUpdate(pod, old))
  }

  it('changes requests and nothing else', () => {
    const pod = sized({ cpu: '2' }, { image: 'other:1' })
    expect(resize(pod)).toEqual([])
    expect(pod.spec.containers[0]).toMatchObject({ image: 'registry.example/app:1', resources: { requests: { cpu: '2' } } })
  })

  it.each([
    [
      'what was requested gone',
      sized({ memory: '1Gi' }),
      ['spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed'],
    ],
    ['another resource', sized({ cpu: '1', 'ephemeral-storage': '1Gi' }), ['spec: Forbidden: only cpu and memory resources are mutable']],
    [
      'another name',
      sized({ cpu: '1' }, { name: 'other' }),
      ['spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize'],
    ],
  ])('refuses %s', (_, pod, errors) => {
    expect(resize(pod)).toEqual(errors)
  })

  it('refuses another class of service', () => {
    const pod = testPod({ containers: [container({ resources: { limits: { cpu: '1', memory: '1Gi' } } })] }, { resourceVersion: '1' })
    expect(resize(pod)).toContain('spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing')
  })
})

it('binds pods to nodes only', () => {
  const binding = (target: Loose) => ({ metadata: { name: 'a' }, target }) as unknown as Parameters<typeof validateBinding>[0]
  expect(validateBinding(binding({ name: 'n' }))).toEqual([])
  expect(shown(validateBinding(binding({ kind: 'Pod' })))).toEqual([
    'target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"',
    'target.name: Required value',
  ])
})

describe('warnings', () => {
  const cases: [what: string, spec: Loose, annotations: Record<string, string>, warnings: string[]][] = [
    ['nothing', {}, {}, []],
    [
      'an older label of nodes',
      { nodeSelector: { 'beta.kubernetes.io/os': 'linux' } },
      {},
      ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
    ],
    ['a volume of old', { volumes: [{ name: 'a', gitRepo: { repository: 'r' } }] }, {}, ['spec.volumes[0].gitRepo: deprecated in v1.11']],
    [
      'a variable that hides another',
      {
        containers: [
          container({
            env: [
              { name: 'a', value: '1' },
              { name: 'a', value: '$(a)2' },
              { name: 'a', value: '3' },
            ],
          }),
        ],
      },
      {},
      ['spec.containers[0].env[2]: hides previous definition of "a", which may be dropped when using apply'],
    ],
    [
      'a port twice, in the same way and in others',
      {
        containers: [
          container({ ports: [{ containerPort: 80 }, { containerPort: 80, name: 'x' }] }),
          container({ name: 'b', ports: [{ containerPort: 80, hostPort: 80 }] }),
        ],
      },
      {},
      [
        'spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]',
        'spec.containers[1].ports[0]: overlapping port definition with spec.containers[0].ports[0]',
        'spec.containers[1].ports[0]: overlapping port definition with spec.containers[0].ports[1]',
      ],
    ],
    [
      'part of a byte',
      { containers: [container({ resources: { requests: { memory: '100m' } } })] },
      {},
      ['spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer'],
    ],
    [
      'an annotation that does nothing any more',
      {},
      { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' },
      ['metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead'],
    ],
    [
      'a selector of nothing',
      { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }] },
      {},
      ['spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod'],
    ],
    [
      'less than no time to end',
      { terminationGracePeriodSeconds: -1 },
      {},
      ['spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1'],
    ],
  ]
  it.each(cases)('of %s', (_, spec, annotations, warnings) => {
    const pod = testPod(spec, { annotations })
    expect(podWarnings(pod.spec, pod.metadata)).toEqual(warnings)
  })
})
