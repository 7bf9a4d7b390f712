import { describe, expect, it } from 'vitest'
import { container, shown, testPod, type Loose } from '../../../testing/objects.ts'
import { validatePodTemplate } from './pod-spec.ts'
import { validateNewPod } from './pod.ts'

type Case = [what: string, spec: Loose, errors: string[]]

const resources = (more: Loose) => ({ containers: [container({ resources: more })] })
const at = 'spec.containers[0].resources'

describe('resources', () => {
  const cases: Case[] = [
    ['limits become requests', resources({ limits: { cpu: '1', memory: '1Gi' } }), []],
    [
      'a request above its limit',
      resources({ limits: { cpu: '1' }, requests: { cpu: '2' } }),
      [`${at}.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`],
    ],
    [
      'less than nothing',
      resources({ limits: { cpu: '-1' } }),
      [
        `${at}.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0`,
        `${at}.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0`,
      ],
    ],
    [
      'an unknown resource',
      resources({ limits: { gpu: '1' } }),
      ['limits', 'requests'].flatMap((list) => [
        `${at}.${list}[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified`,
        `${at}.${list}[gpu]: Invalid value: "gpu": must be a standard resource for containers`,
      ]),
    ],
    [
      'part of a device',
      resources({ limits: { 'example.com/gpu': '500m' } }),
      ['limits', 'requests'].map((list) => `${at}.${list}[example.com/gpu]: Invalid value: "500m": must be an integer`),
    ],
    [
      'a device without a limit',
      resources({ requests: { 'example.com/gpu': '1' } }),
      [`${at}.limits: Required value: Limit must be set for non overcommitable resources`],
    ],
    ['huge pages alone', resources({ limits: { 'hugepages-2Mi': '4Mi' } }), [`${at}: Forbidden: HugePages require cpu or memory`]],
    [
      'huge pages cut in parts',
      resources({ limits: { 'hugepages-2Mi': '3Mi', cpu: '1' } }),
      ['limits', 'requests'].map(
        (list) => `${at}.${list}[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
      ),
    ],
    [
      'a pod that requests less than its containers',
      { ...resources({ requests: { cpu: '2' } }), resources: { requests: { cpu: '1' } } },
      ['spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2'],
    ],
    [
      'a claim that the pod does not have',
      resources({ claims: [{ name: 'gpu' }] }),
      [`${at}.claims[0]: Not found: "gpu": must be one of the names in pod.spec.resourceClaims which is empty`],
    ],
  ]
  it.each(cases)('%s', (_, spec, errors) => {
    expect(shown(validateNewPod(testPod(spec)))).toEqual(errors)
  })
})

describe('security contexts', () => {
  const context = (more: Loose) => ({ containers: [container({ securityContext: more })] })
  const own = 'spec.containers[0].securityContext'
  const cases: Case[] = [
    ['the usual', { ...context({ runAsNonRoot: true, capabilities: { drop: ['ALL'] } }), securityContext: { fsGroup: 1 } }, []],
    [
      'ids below zero',
      { ...context({ runAsUser: -1 }), securityContext: { fsGroup: -2, supplementalGroups: [1, -3] } },
      [
        `${own}.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive`,
        'spec.securityContext.fsGroup: Invalid value: -2: must be between 0 and 2147483647, inclusive',
        'spec.securityContext.supplementalGroups[1]: Invalid value: -3: must be between 0 and 2147483647, inclusive',
      ],
    ],
    [
      'privileged without escalation',
      context({ privileged: true, allowPrivilegeEscalation: false }),
      [
        `${own}: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`,
      ],
    ],
    [
      'CAP_SYS_ADMIN without escalation',
      context({ allowPrivilegeEscalation: false, capabilities: { add: ['CAP_SYS_ADMIN'] } }),
      [
        `${own}: Invalid value: {"allowPrivilegeEscalation":false,"capabilities":{"add":["CAP_SYS_ADMIN"]}}: cannot set \`allowPrivilegeEscalation\` to false and \`capabilities.Add\` CAP_SYS_ADMIN`,
      ],
    ],
    [
      'a profile of the host without its name',
      context({ seccompProfile: { type: 'Localhost' } }),
      [`${own}.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost`],
    ],
    [
      'a sysctl that is none, and one twice',
      {
        securityContext: {
          sysctls: [
            { name: 'a..b', value: '1' },
            { name: 'kernel.shm_rmid_forced', value: '1' },
            { name: 'kernel.shm_rmid_forced', value: '0' },
          ],
        },
      },
      [
        'spec.securityContext.sysctls[0].name: Invalid value: "a..b": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
        'spec.securityContext.sysctls[2].name: Duplicate value: "kernel.shm_rmid_forced"',
      ],
    ],
    [
      'a namespace of processes shared with the host and within the pod',
      { hostPID: true, shareProcessNamespace: true },
      ['spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled'],
    ],
    [
      'Windows options on Linux',
      { os: { name: 'linux' }, securityContext: { windowsOptions: { runAsUserName: 'a' } } },
      ['spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod'],
    ],
  ]
  it.each(cases)('%s', (_, spec, errors) => {
    expect(shown(validateNewPod(testPod(spec)))).toEqual(errors)
  })
})

describe('scheduling', () => {
  const term = (more: Loose) => ({ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { a: 'b' } }, ...more })
  const nodes = (expression: Loose) => ({
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } },
    },
  })
  const expression = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0]'
  const peers = (more: Loose) => ({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(more)] } } })
  const peer = 'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]'
  const cases: Case[] = [
    ['nodes by expression', nodes({ key: 'a', operator: 'In', values: ['b'] }), []],
    [
      'no values',
      nodes({ key: 'a', operator: 'In' }),
      [`${expression}.values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`],
    ],
    [
      'an unknown operator',
      nodes({ key: 'a', operator: 'Near' }),
      [`${expression}.operator: Invalid value: "Near": not a valid selector operator`],
    ],
    [
      'no terms',
      { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } },
      [
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
      ],
    ],
    [
      'a weight of nothing',
      { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, preference: {} }] } } },
      [
        'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100',
      ],
    ],
    [
      'no topology',
      peers({ topologyKey: '' }),
      [
        `${peer}.topologyKey: Required value: can not be empty`,
        ...[
          'name part must be non-empty',
          "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        ].map((why) => `${peer}.topologyKey: Invalid value: "": ${why}`),
      ],
    ],
    [
      'a key of labels that is in the selector already',
      peers({
        matchLabelKeys: ['a'],
        labelSelector: { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] },
      }),
      [`${peer}[0]: Invalid value: "a": exists in both matchLabelKeys and labelSelector`],
    ],
    [
      'spreading by nothing, twice',
      {
        topologySpreadConstraints: [
          { maxSkew: 0, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
          { maxSkew: 1, topologyKey: 'x', whenUnsatisfiable: 'ScheduleAnyway', minDomains: 2 },
        ],
      },
      [
        'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
        'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"',
        'spec.topologySpreadConstraints[2].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway',
      ],
    ],
    [
      'tolerations',
      {
        tolerations: [
          { operator: 'Exists' },
          { key: 'a', operator: 'Exists', value: 'b' },
          { value: 'b' },
          { key: 'a', effect: 'NoSchedule', tolerationSeconds: 5 },
          { key: 'a', effect: 'Never' },
        ],
      },
      [
        'spec.tolerations[1].operator: Invalid value: "b": value must be empty when `operator` is \'Exists\'',
        'spec.tolerations[2].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"',
        'spec.tolerations[3].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set',
        'spec.tolerations[4].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      ],
    ],
    [
      'a gate twice, and on a pod that has a node',
      { nodeName: 'n', schedulingGates: [{ name: 'a' }, { name: 'a' }] },
      [
        'spec.schedulingGates[1]: Duplicate value: "a"',
        'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
      ],
    ],
  ]
  it.each(cases)('%s', (_, spec, errors) => {
    expect(shown(validateNewPod(testPod(spec)))).toEqual(errors)
  })
})

describe('the rest of a spec', () => {
  const cases: Case[] = [
    [
      'an unknown restart policy',
      { restartPolicy: 'Sometimes' },
      ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    ],
    [
      'no name servers of its own',
      { dnsPolicy: 'None' },
      ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    ],
    [
      'too many name servers, and what is none',
      { dnsConfig: { nameservers: ['1.1.1.1', '2.2.2.2', '3.3.3.3', 'x'] } },
      [
        'spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","2.2.2.2","3.3.3.3","x"]: must not have more than 3 nameservers',
        'spec.dnsConfig.nameservers[3]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    [
      'a deadline of nothing',
      { activeDeadlineSeconds: 0 },
      ['spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive'],
    ],
    [
      'an unknown preemption policy',
      { preemptionPolicy: 'Maybe' },
      ['spec.preemptionPolicy: Unsupported value: "Maybe": supported values: "PreemptLowerPriority", "Never"'],
    ],
    [
      'a label of a node that is none',
      { nodeSelector: { a: 'b c' } },
      [
        "spec.nodeSelector: Invalid value: \"b c\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
      ],
    ],
  ]
  it.each(cases)('%s', (_, spec, errors) => {
    expect(shown(validateNewPod(testPod(spec)))).toEqual(errors)
  })

  it('asks for the same in a template, at its own path', () => {
    const { spec } = testPod({ containers: [], restartPolicy: 'x' })
    const template = { metadata: { labels: { 'a b': 'c' } }, spec }
    expect(shown(validatePodTemplate(template, 'spec.template')).map((text) => text.split(': ')[0])).toEqual([
      'spec.template.labels',
      'spec.template.spec.containers',
      'spec.template.spec.restartPolicy',
    ])
  })

  it('says who a mirror pod runs for', () => {
    expect(shown(validateNewPod(testPod({}, { annotations: { 'kubernetes.io/config.mirror': 'x' } })))).toEqual([
      'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
    ])
  })
})
