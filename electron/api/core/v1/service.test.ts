import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, decoded, row, statusUpdated, stored, updated } from '../../testing/rules.ts'
import { service } from './service.ts'
import type { Service } from './types.gen.ts'

const port = (more: Loose = {}) => ({ port: 80, ...more })
const spec = (more: Loose = {}): Loose => ({ spec: { ports: [port()], ...more } })
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const OTHER_ADDRESS = (field: string, ip: string) =>
  `${field}: Invalid value: "${ip}": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)`

describe('what a service means where it is silent', () => {
  it.each<[what: string, given: Loose, expected: Loose]>([
    [
      'by default',
      {},
      {
        type: 'ClusterIP',
        sessionAffinity: 'None',
        internalTrafficPolicy: 'Cluster',
        ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      },
    ],
    ['on every node', { type: 'NodePort' }, { externalTrafficPolicy: 'Cluster', internalTrafficPolicy: 'Cluster' }],
    ['with addresses from outside', { externalIPs: ['192.0.2.1'] }, { externalTrafficPolicy: 'Cluster' }],
    ['behind a balancer', { type: 'LoadBalancer' }, { externalTrafficPolicy: 'Cluster', allocateLoadBalancerNodePorts: true }],
    ['of the same client', { sessionAffinity: 'ClientIP' }, { sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } } }],
    [
      'to another port',
      { ports: [port({ targetPort: 'http' }), port({ protocol: 'UDP', targetPort: 8080 })] },
      {
        ports: [
          { port: 80, protocol: 'TCP', targetPort: 'http' },
          { port: 80, protocol: 'UDP', targetPort: 8080 },
        ],
      },
    ],
  ])('%s', (_, given, expected) => {
    expect(decoded(service, spec(given)).spec).toMatchObject(expected)
  })

  it('as a mere name', () => {
    const { spec } = decoded(service, { spec: { type: 'ExternalName', externalName: 'a.b' } })
    expect(spec.internalTrafficPolicy).toBeUndefined()
    expect(spec.externalTrafficPolicy).toBeUndefined()
  })

  it('to all clients, whatever it says of one', () => {
    const config = { clientIP: { timeoutSeconds: 1 } }
    expect(decoded(service, spec({ sessionAffinityConfig: config })).spec.sessionAffinityConfig).toBeUndefined()
  })

  it('with a balancer by its address', () => {
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { hostname: 'a.b' }] } }
    const [ip, name] = decoded(service, { ...spec({ type: 'LoadBalancer' }), status }).status.loadBalancer?.ingress ?? []
    expect([ip?.ipMode, name?.ipMode]).toEqual(['VIP', undefined])
  })
})

describe('a service', () => {
  const cases: [what: string, spec: Loose, errors: string[], annotations?: Record<string, string>][] = [
    ['an ordinary one', {}, []],
    ['without ports', { ports: [] }, ['spec.ports: Required value']],
    ['headless without ports', { ports: [], clusterIP: 'None' }, []],
    [
      'of an unknown type',
      { type: 'Magic' },
      ['spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'],
    ],
    [
      'with ports that have the wrong form',
      { ports: [port({ port: 0, protocol: 'ICMP', name: 'A', targetPort: '-' }), port({ port: 81 })] },
      [
        `spec.ports[0].name: Invalid value: "A": ${LABEL}`,
        'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
        'spec.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
        'spec.ports[0].targetPort: Invalid value: "-": must contain at least one letter (a-z)',
        'spec.ports[0].targetPort: Invalid value: "-": must not begin or end with a hyphen',
        'spec.ports[1].name: Required value',
      ],
    ],
    [
      'with two ports of one name and number',
      { ports: [port({ name: 'a' }), port({ name: 'a' })] },
      [
        'spec.ports[1].name: Duplicate value: "a"',
        'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
      ],
    ],
    ['of one number for two protocols', { ports: [port({ name: 'a' }), port({ name: 'b', protocol: 'UDP' })] }, []],
    [
      'with a port of nodes that has none',
      { ports: [port({ nodePort: 30000 })] },
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      'with one port of nodes for two',
      { type: 'NodePort', ports: [port({ name: 'a', nodePort: 30000 }), port({ name: 'b', port: 81, nodePort: 30000 })] },
      ['spec.ports[1].nodePort: Duplicate value: 30000'],
    ],
    [
      'headless on every node',
      { type: 'NodePort', clusterIP: 'None' },
      ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services'],
    ],
    ['as a mere name', { type: 'ExternalName', externalName: 'a.example.', ports: [] }, []],
    [
      'as a name with addresses',
      { type: 'ExternalName', clusterIP: '10.0.0.1', ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
      [
        'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
        'spec.ipFamilies: Forbidden: may not be set for ExternalName services',
        'spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services',
        'spec.externalName: Required value',
      ],
    ],
    [
      'with lists of addresses that contradict each other',
      { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.2'] },
      ['spec.clusterIPs: Invalid value: ["10.0.0.2"]: first value must match `clusterIP`'],
    ],
    [
      'with a list only',
      { clusterIPs: ['10.0.0.2'] },
      ['spec.clusterIPs: Invalid value: ["10.0.0.2"]: must be empty when `clusterIP` is not specified'],
    ],
    [
      'with two addresses of one family',
      { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '10.0.0.2'] },
      ['spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: may specify no more than one IP for each IP family'],
    ],
    [
      'with an address of another family',
      { clusterIP: 'fd00::1', ipFamilies: ['IPv4'] },
      ['spec.clusterIPs[0]: Invalid value: "fd00::1": expected an IPv4 value as indicated by `ipFamilies[0]`'],
    ],
    [
      'with families that do not exist',
      { ipFamilies: ['IPv5', 'IPv4', 'IPv4'], ipFamilyPolicy: 'Some' },
      [
        'spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
        'spec.ipFamilies[2]: Duplicate value: "IPv4"',
        'spec.ipFamilyPolicy: Unsupported value: "Some": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"',
      ],
    ],
    ['with a bad address', { clusterIP: 'x' }, [OTHER_ADDRESS('spec.clusterIPs[0]', 'x')]],
    [
      'headless and not',
      { clusterIP: 'None', clusterIPs: ['None', '10.0.0.1'] },
      ['spec.clusterIPs: Invalid value: ["None","10.0.0.1"]: \'None\' must be the first and only value'],
    ],
    [
      'reached from itself only',
      { externalIPs: ['127.0.0.1', 'x'] },
      [
        'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
        OTHER_ADDRESS('spec.externalIPs[1]', 'x'),
      ],
    ],
    [
      'of the same client for too long',
      { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86401 } } },
      ['spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400'],
    ],
    [
      'of another affinity',
      { sessionAffinity: 'Cookie' },
      ['spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None"'],
    ],
    [
      'with a policy for traffic from where none comes',
      { externalTrafficPolicy: 'Local', internalTrafficPolicy: 'Some' },
      [
        'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
        'spec.internalTrafficPolicy: Unsupported value: "Some": supported values: "Cluster", "Local"',
      ],
    ],
    [
      'that shall be local without a port to see who is',
      { type: 'LoadBalancer', externalTrafficPolicy: 'Local' },
      ['spec.healthCheckNodePort: Required value'],
    ],
    [
      'with such a port for nothing',
      { type: 'NodePort', healthCheckNodePort: 30000 },
      [
        "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ],
    ],
    [
      'with what only a balancer has',
      { loadBalancerSourceRanges: ['10.0.0.0/8'], allocateLoadBalancerNodePorts: false, loadBalancerClass: 'a.b/c' },
      [
        "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
        "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
        "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
      ],
    ],
    [
      'with bad ranges of clients',
      { type: 'LoadBalancer', loadBalancerSourceRanges: [' 10.0.0.0/8 ', '10.0.0.0'] },
      ['spec.LoadBalancerSourceRanges[1]: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
    ],
    [
      'with ranges of clients as an annotation',
      {},
      [
        "metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Forbidden: may only be used when `type` is 'LoadBalancer'",
      ],
      { 'service.beta.kubernetes.io/load-balancer-source-ranges': '10.0.0.0/8' },
    ],
    [
      'with annotations that contradict each other',
      {},
      [
        'metadata.annotations[service.kubernetes.io/topology-mode]: Invalid value: "Auto": must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified',
      ],
      { 'service.kubernetes.io/topology-mode': 'Auto', 'service.kubernetes.io/topology-aware-hints': 'disabled' },
    ],
    [
      'of an unknown distribution',
      { trafficDistribution: 'Random' },
      ['spec.trafficDistribution: Unsupported value: "Random": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"'],
    ],
  ]
  it.each(cases)('%s', (_, more, errors, annotations = {}) => {
    expect(created(service, { metadata: { annotations }, ...spec(more) }).errors).toEqual(errors)
  })

  it('has a list of addresses when it has one', () => {
    expect(created(service, spec({ clusterIP: '10.0.0.1' })).object.spec.clusterIPs).toEqual(['10.0.0.1'])
  })
})

describe('the status of a service', () => {
  const BALANCED = { type: 'LoadBalancer' }
  const cases: [what: string, spec: Loose, ingress: Service['status']['loadBalancer'], errors: string[]][] = [
    ['an address', BALANCED, { ingress: [{ ip: '192.0.2.1' }] }, []],
    [
      'an address of a service that needs none',
      {},
      { ingress: [{ ip: '192.0.2.1' }] },
      ["status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"],
    ],
    ['no address', BALANCED, { ingress: [{ ip: 'x' }] }, [OTHER_ADDRESS('status.loadBalancer.ingress[0].ip', 'x')]],
    [
      'a mode of nothing',
      BALANCED,
      { ingress: [{ ipMode: 'VIP' }] },
      ['status.loadBalancer.ingress[0].ipMode: Forbidden: may not be specified when `ip` is not set'],
    ],
    [
      'an unknown mode',
      BALANCED,
      { ingress: [{ ip: '192.0.2.1', ipMode: 'x' }] },
      ['status.loadBalancer.ingress[0].ipMode: Unsupported value: "x": supported values: "Proxy", "VIP"'],
    ],
    [
      'an address as a name',
      BALANCED,
      { ingress: [{ hostname: '192.0.2.1' }] },
      ['status.loadBalancer.ingress[0].hostname: Invalid value: "192.0.2.1": must be a DNS name, not an IP address'],
    ],
  ]
  it.each(cases)('%s', (_, more, loadBalancer = {}, errors) => {
    const outcome = statusUpdated(service, stored(service, spec(more)), (object) => {
      object.status.loadBalancer = loadBalancer
    })
    expect(outcome.errors).toEqual(errors)
  })
})

describe('a changed service', () => {
  const of = (more: Loose) =>
    stored(service, spec({ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack', ...more }))
  const BALANCED = { type: 'LoadBalancer', loadBalancerClass: 'a.b/c' }
  const cases: [what: string, old: Loose, change: (spec: Service['spec']) => void, errors: string[]][] = [
    ['nothing', {}, () => undefined, []],
    [
      'its address',
      {},
      (spec) => Object.assign(spec, { clusterIP: '10.0.0.2' }),
      ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'],
    ],
    [
      'its family',
      {},
      (spec) => (spec.ipFamilies = ['IPv6']),
      [
        'spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`',
        'spec.ipFamilies[0]: Invalid value: ["IPv6"]: may not change once set',
      ],
    ],
    [
      'a second address that goes without its policy',
      { clusterIPs: ['10.0.0.1', 'fd00::1'], ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'PreferDualStack' },
      (spec) => Object.assign(spec, { clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4'] }),
      [
        'spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be set to \'SingleStack\' when releasing the secondary clusterIP',
        'spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be set to \'SingleStack\' when releasing the secondary ipFamily',
      ],
    ],
    [
      'a second address that goes',
      { clusterIPs: ['10.0.0.1', 'fd00::1'], ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'PreferDualStack' },
      (spec) => Object.assign(spec, { clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }),
      [],
    ],
    [
      'its balancer',
      BALANCED,
      (spec) => (spec.loadBalancerClass = 'a.b/d'),
      ['spec.loadBalancerClass: Invalid value: "a.b/d": may not change once set'],
    ],
    [
      'the port that tells who is local',
      { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 30000 },
      (spec) => (spec.healthCheckNodePort = 30001),
      ['spec.healthCheckNodePort: Forbidden: field is immutable'],
    ],
    ['into a name', {}, (spec) => Object.assign(spec, { type: 'ExternalName', externalName: 'a.b', internalTrafficPolicy: undefined }), []],
    ['into one without a balancer', BALANCED, (spec) => (spec.type = 'ClusterIP'), []],
  ]
  it.each(cases)('%s', (_, old, change, errors) => {
    const outcome = updated(service, of(old), ({ spec }) => {
      change(spec)
    })
    expect(outcome.errors).toEqual(errors)
  })
})

describe('what a table shows of a service', () => {
  it.each<[what: string, spec: Loose, status: Loose, expected: Loose]>([
    [
      'of the cluster',
      { clusterIP: '10.0.0.1', selector: { b: '2', a: '1' }, ports: [port({ name: 'a' }), port({ name: 'b', port: 53, protocol: 'UDP' })] },
      {},
      { Type: 'ClusterIP', 'Cluster-IP': '10.0.0.1', 'External-IP': '<none>', 'Port(s)': '80/TCP,53/UDP', Age: '60m', Selector: 'a=1,b=2' },
    ],
    ['headless', { clusterIP: 'None', ports: [] }, {}, { 'Cluster-IP': 'None', 'Port(s)': '<none>', Selector: '<none>' }],
    ['on every node', { type: 'NodePort', ports: [port({ nodePort: 30080 })] }, {}, { 'Port(s)': '80:30080/TCP', 'Cluster-IP': '<none>' }],
    ['behind a balancer to come', { type: 'LoadBalancer' }, {}, { 'External-IP': '<pending>' }],
    [
      'behind a balancer',
      { type: 'LoadBalancer', externalIPs: ['192.0.2.9'] },
      { loadBalancer: { ingress: [{ ip: '192.0.2.2' }, { hostname: 'a.b' }, { ip: '192.0.2.2' }] } },
      { 'External-IP': '192.0.2.2,a.b,192.0.2.9' },
    ],
    ['as a name', { type: 'ExternalName', externalName: 'a.b', ports: [] }, {}, { 'External-IP': 'a.b', 'Cluster-IP': '<none>' }],
  ])('%s', (_, more, status, expected) => {
    expect(row(service, stored(service, { ...spec(more), status }))).toMatchObject(expected)
  })
})

it.each<[what: string, spec: Loose, warnings: string[]]>([
  ['an ordinary one', {}, []],
  [
    'a headless one with what needs an address',
    { clusterIP: 'None', externalIPs: ['192.0.2.1'], sessionAffinity: 'ClientIP', loadBalancerIP: '192.0.2.2' },
    [
      'spec.loadBalancerIP is ignored for headless services',
      'spec.externalIPs is ignored for headless services',
      'spec.SessionAffinity is ignored for headless services',
    ],
  ],
  ['a name that is not used', { externalName: 'a.b' }, ['spec.externalName is ignored when spec.type is not "ExternalName"']],
  [
    'a policy of old',
    { trafficDistribution: 'PreferClose' },
    ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
  ],
])('warns of %s', (_, more, warnings) => {
  expect(service.strategy.warnings?.(created(service, spec(more)).object, null)).toEqual(warnings)
})
