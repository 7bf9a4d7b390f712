import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, decoded, row, statusUpdated, stored, updated } from '../../testing/rules.ts'
import { node } from './node.ts'
import type { Node } from './types.gen.ts'

const taint = (more: Loose = {}) => ({ key: 'a', effect: 'NoSchedule', ...more })

describe('what a node means where it is silent', () => {
  it.each<[given: Loose, expected: Loose]>([
    [{ podCIDR: '10.1.0.0/24' }, { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24'] }],
    [{ podCIDRs: ['10.1.0.0/24', 'fd00::/64'] }, { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24', 'fd00::/64'] }],
    [{ podCIDR: '10.2.0.0/24', podCIDRs: ['10.1.0.0/24'] }, { podCIDRs: ['10.2.0.0/24'] }],
  ])('%j', (spec, expected) => {
    expect(decoded(node, { spec }).spec).toMatchObject(expected)
  })

  it('has all to give that it has', () => {
    const { status } = decoded(node, { status: { capacity: { cpu: '2', memory: '1Gi' } } })
    expect(status.allocatable).toEqual({ cpu: '2', memory: '1Gi' })
    expect(status.allocatable).not.toBe(status.capacity)
  })
})

describe('a node', () => {
  it.each<[what: string, spec: Loose, status: Loose, errors: string[]]>([
    ['an ordinary one', { taints: [taint(), taint({ effect: 'NoExecute' })] }, { capacity: { cpu: '2' } }, []],
    [
      'with bad taints',
      { taints: [taint({ effect: 'Never' }), taint({ key: 'b' }), taint({ key: 'b', value: 'c' })] },
      {},
      [
        'metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
        'metadata.taints[2]: Duplicate value: {"effect":"NoSchedule","key":"b","value":"c"}: taints must be unique by key and effect pair',
      ],
    ],
    [
      'with two blocks of one family',
      { podCIDRs: ['10.1.0.0/24', '10.2.0.0/24'] },
      {},
      ['spec.podCIDRs: Invalid value: ["10.1.0.0/24","10.2.0.0/24"]: may specify no more than one CIDR for each IP family'],
    ],
    [
      'with no block',
      { podCIDR: '10.1.0.0' },
      {},
      ['spec.podCIDRs[0]: Invalid value: "10.1.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
    ],
  ])('%s', (_, spec, status, errors) => {
    expect(created(node, { spec, status }).errors).toEqual(errors)
  })

  it.each<[what: string, status: Loose, errors: string[]]>([
    [
      'less than nothing',
      { capacity: { cpu: '-1' } },
      [
        'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
        'status.allocatable.cpu: Invalid value: "-1": must be greater than or equal to 0',
      ],
    ],
    ['half a pod', { allocatable: { pods: '500m' } }, ['status.allocatable.pods: Invalid value: "500m": must be an integer']],
    [
      'features out of order',
      { declaredFeatures: ['B', 'A', 'A', 'c'] },
      [
        'status.declaredFeatures[1]: Invalid value: "A": list must be sorted alphabetically',
        'status.declaredFeatures[2]: Duplicate value: "A"',
        'status.declaredFeatures[3]: Invalid value: "c": invalid feature name "c": must start with an UpperCamelCase segment, with subsequent segments separated by \'/\' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes',
      ],
    ],
    [
      'one address twice',
      {
        addresses: [
          { type: 'InternalIP', address: '10.0.0.1' },
          { type: 'InternalIP', address: '10.0.0.1' },
        ],
      },
      ['status.addresses[1]: Duplicate value: {"type":"InternalIP","address":"10.0.0.1"}'],
    ],
  ])('reports %s', (_, status, errors) => {
    const outcome = statusUpdated(node, stored(node), (object) => {
      Object.assign(object.status, status)
    })
    expect(outcome.errors).toEqual(errors)
  })

  it.each<[what: string, old: Loose, change: (spec: Node['spec']) => void, errors: string[]]>([
    ['gets a block', {}, (spec) => (spec.podCIDR = '10.1.0.0/24'), []],
    [
      'may not change it',
      { podCIDR: '10.1.0.0/24' },
      (spec) => (spec.podCIDR = '10.2.0.0/24'),
      ['spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'],
    ],
    [
      'may not be another machine',
      { providerID: 'a' },
      (spec) => (spec.providerID = 'b'),
      ['spec.providerID: Forbidden: node updates may not change providerID except from "" to valid'],
    ],
    ['becomes a machine', {}, (spec) => (spec.providerID = 'b'), []],
    ['may not have another name outside', {}, (spec) => (spec.externalID = 'b'), ['spec.externalID: Forbidden: may not be updated']],
    ['is cordoned', {}, (spec) => (spec.unschedulable = true), []],
  ])('%s', (_, spec, change, errors) => {
    const outcome = updated(node, stored(node, { spec }), (object) => {
      change(object.spec)
    })
    expect(outcome.errors).toEqual(errors)
  })
})

describe('what a table shows of a node', () => {
  const ready = (status: string) => ({ conditions: [{ type: 'Ready', status }] })
  it.each<[expected: string, spec: Loose, status: Loose]>([
    ['Ready', {}, ready('True')],
    ['NotReady', {}, ready('False')],
    ['NotReady', {}, ready('Unknown')],
    ['Unknown', {}, {}],
    ['Ready,SchedulingDisabled', { unschedulable: true }, ready('True')],
  ])('%s', (expected, spec, status) => {
    expect(row(node, stored(node, { spec, status }))['Status']).toBe(expected)
  })

  it('has roles, version and addresses', () => {
    const labels = { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/control-plane': '', 'kubernetes.io/role': 'worker' }
    const status = {
      addresses: [
        { type: 'Hostname', address: 'one' },
        { type: 'InternalIP', address: '10.0.0.1' },
      ],
      nodeInfo: { kubeletVersion: 'v1.36.0', osImage: 'Debian' },
    }
    expect(row(node, stored(node, { metadata: { labels }, status }))).toEqual({
      Status: 'Unknown',
      Roles: 'control-plane,worker',
      Age: '60m',
      Version: 'v1.36.0',
      'Internal-IP': '10.0.0.1',
      'External-IP': '<none>',
      'OS-Image': 'Debian',
      'Kernel-Version': '<unknown>',
      'Container-Runtime': '<unknown>',
    })
  })

  it('has no roles without labels', () => {
    expect(row(node, stored(node))['Roles']).toBe('<none>')
    expect(node.selectableFields['spec.unschedulable']?.(stored(node))).toBe('false')
  })
})
