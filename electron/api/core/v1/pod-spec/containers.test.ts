import { describe, expect, it } from 'vitest'
import { container, shown, testPod, type Loose } from '../../../testing/objects.ts'
import { validateNewPod } from './pod.ts'

type Case = [what: string, containers: Loose[], errors: string[], spec?: Loose]

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

describe('containers', () => {
  const cases: Case[] = [
    ['a plain one', [container()], []],
    ['none at all', [], ['spec.containers: Required value']],
    ['no name', [container({ name: '' })], ['spec.containers[0].name: Required value']],
    ['a bad name', [container({ name: 'App_1' })], [`spec.containers[0].name: Invalid value: "App_1": ${LABEL}`]],
    ['a name twice', [container(), container()], ['spec.containers[1].name: Duplicate value: "app"']],
    ['no image', [container({ image: '' })], ['spec.containers[0].image: Required value']],
    [
      'an image with a space before it',
      [container({ image: ' a' })],
      ['spec.containers[0].image: Invalid value: " a": must not have leading or trailing whitespace'],
    ],
    [
      'an unknown pull policy',
      [container({ imagePullPolicy: 'Sometimes' })],
      ['spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"'],
    ],
    [
      'an unknown termination message policy',
      [container({ terminationMessagePolicy: 'x' })],
      ['spec.containers[0].terminationMessagePolicy: Unsupported value: "x": supported values: "File", "FallbackToLogsOnError"'],
    ],
    [
      'ports: no number, too large, an unknown protocol, a name twice',
      [
        container({
          ports: [
            { name: 'web', containerPort: 0 },
            { name: 'web', containerPort: 70000 },
            { containerPort: 1, protocol: 'ICMP' },
          ],
        }),
      ],
      [
        'spec.containers[0].ports[0].containerPort: Required value',
        'spec.containers[0].ports[1].name: Duplicate value: "web"',
        'spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
        'spec.containers[0].ports[2].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
      ],
    ],
    [
      'a host port twice',
      [container({ ports: [{ containerPort: 80, hostPort: 80 }] }), container({ name: 'b', ports: [{ containerPort: 81, hostPort: 80 }] })],
      ['spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//80"'],
    ],
    [
      'a host port that is not the port, on the host network',
      [container({ ports: [{ containerPort: 80, hostPort: 81 }] })],
      ['spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true'],
      { hostNetwork: true },
    ],
    [
      'a resize policy that restarts in a pod that never does',
      [container({ resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] })],
      ["spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when pod `restartPolicy` is 'Never'"],
      { restartPolicy: 'Never' },
    ],
    [
      'restart rules without a policy of its own',
      [container({ restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }] })],
      ['spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used'],
    ],
  ]
  it.each(cases)('%s', (_, containers, errors, spec = {}) => {
    expect(shown(validateNewPod(testPod({ ...spec, containers })))).toEqual(errors)
  })
})

describe('init containers', () => {
  const cases: Case[] = [
    ['one that runs first', [container({ name: 'first' })], []],
    ['a sidecar with probes', [container({ name: 's', restartPolicy: 'Always', startupProbe: { exec: { command: ['x'] } } })], []],
    ['the name of a container', [container()], ['spec.initContainers[0].name: Duplicate value: "app"']],
    [
      'probes and hooks without being a sidecar',
      [container({ name: 'i', readinessProbe: { exec: { command: ['x'] } }, lifecycle: { preStop: { exec: { command: ['x'] } } } })],
      [
        'spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always',
        'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      ],
    ],
    [
      'an unknown restart policy',
      [container({ name: 'i', restartPolicy: 'Sometimes' })],
      ['spec.initContainers[0].restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"'],
    ],
  ]
  it.each(cases)('%s', (_, initContainers, errors) => {
    expect(shown(validateNewPod(testPod({ initContainers })))).toEqual(errors)
  })
})

describe('ephemeral containers', () => {
  const cases: Case[] = [
    ['are not for new pods', [container({ name: 'd' })], ['spec.ephemeralContainers: Forbidden: cannot be set on create']],
    [
      'cannot have ports, probes or resources',
      [container({ name: 'd', ports: [{ containerPort: 1 }], resources: { limits: { cpu: '1' } } })],
      [
        'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
        'spec.ephemeralContainers[0].resources: Forbidden: cannot be set for an Ephemeral Container',
        'spec.ephemeralContainers: Forbidden: cannot be set on create',
      ],
    ],
    [
      'must name an existing target',
      [container({ name: 'd', targetContainerName: 'none' })],
      [
        'spec.ephemeralContainers[0].targetContainerName: Not found: "none"',
        'spec.ephemeralContainers: Forbidden: cannot be set on create',
      ],
    ],
  ]
  it.each(cases)('%s', (_, ephemeralContainers, errors) => {
    expect(shown(validateNewPod(testPod({ ephemeralContainers })))).toEqual(errors)
  })
})

describe('variables', () => {
  const cases: [what: string, env: Loose[], errors: string[]][] = [
    ['any printable name', [{ name: 'a.b-c d', value: 'x' }], []],
    ['no name', [{ name: '' }], ['env[0].name: Required value']],
    [
      'a name with "="',
      [{ name: 'a=b' }],
      [
        'env[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than \'=\'',
      ],
    ],
    [
      'no source',
      [{ name: 'a', valueFrom: {} }],
      [
        'env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ],
    ],
    [
      'a value and a source',
      [{ name: 'a', value: 'x', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }],
      ['env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
    ],
    [
      'two sources',
      [{ name: 'a', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' }, secretKeyRef: { name: 'c', key: 'k' } } }],
      ['env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time'],
    ],
    ['a label by its key', [{ name: 'a', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } }], []],
    [
      'a field that variables cannot have',
      [{ name: 'a', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } }],
      [
        'env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
      ],
    ],
    [
      'a field that pods do not have',
      [{ name: 'a', valueFrom: { fieldRef: { fieldPath: 'status.what' } } }],
      [
        'env[0].valueFrom.fieldRef.fieldPath: Invalid value: "status.what": error converting fieldPath: field label not supported: status.what',
      ],
    ],
    [
      'an unknown resource and a bad divisor',
      [
        { name: 'a', valueFrom: { resourceFieldRef: { resource: 'limits.gpu' } } },
        { name: 'b', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '10' } } },
      ],
      [
        'env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"',
        'env[1].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are supported with the cpu resource',
      ],
    ],
  ]
  it.each(cases)('%s', (_, env, errors) => {
    expect(shown(validateNewPod(testPod({ containers: [container({ env })] })))).toEqual(
      errors.map((error) => `spec.containers[0].${error}`),
    )
  })

  it('come from exactly one config map or secret', () => {
    const envFrom = [{}, { configMapRef: { name: 'a' }, secretRef: { name: 'b' } }, { secretRef: {} }]
    expect(shown(validateNewPod(testPod({ containers: [container({ envFrom })] })))).toEqual([
      'spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
      'spec.containers[0].envFrom: Invalid value: "": may not have more than one field specified at a time',
      'spec.containers[0].envFrom[2].secretRef.name: Required value',
    ])
  })
})
