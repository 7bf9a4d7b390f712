import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, stored } from '../../testing/rules.ts'
import { endpoints } from './endpoints.ts'

const subset = (more: Loose = {}) => ({ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }], ...more })

describe('endpoints', () => {
  it.each<[what: string, subsets: Loose[], errors: string[]]>([
    ['ordinary ones', [subset()], []],
    ['none', [], []],
    ['of no address', [{ ports: [{ port: 80 }] }], ['subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`']],
    [
      'with addresses that cannot be reached',
      [{ addresses: [{ ip: 'x' }], notReadyAddresses: [{ ip: '169.254.1.1' }, { ip: '0.0.0.0' }] }],
      [
        'subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        'subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address',
        'subsets[0].notReadyAddresses[0].ip: Invalid value: "169.254.1.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
        'subsets[0].notReadyAddresses[1].ip: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
      ],
    ],
    [
      'with ports that are none',
      [subset({ ports: [{ port: 0 }, { name: 'b', port: 81, protocol: 'ICMP' }] })],
      [
        'subsets[0].ports[0].name: Required value',
        'subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
        'subsets[0].ports[1].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
      ],
    ],
  ])('%s', (_, subsets, errors) => {
    expect(created(endpoints, { subsets }).errors).toEqual(errors)
  })

  it('are of TCP', () => {
    expect(created(endpoints, { subsets: [subset()] }).object.subsets?.[0]?.ports).toEqual([{ port: 80, protocol: 'TCP' }])
  })

  it.each<[expected: string, subsets: Loose[]]>([
    ['<none>', []],
    ['10.0.0.1:80', [subset()]],
    ['10.0.0.1,[fd00::1]:80', [subset({ ports: [] }), subset({ addresses: [{ ip: 'fd00::1' }] })]],
    [
      '10.0.0.1:80,10.0.0.1:81,10.0.0.1:80 + 1 more...',
      [subset({ ports: [{ port: 80 }, { port: 81 }] }), subset({ ports: [{ port: 80 }, { port: 81 }] })],
    ],
  ])('are shown as %s', (expected, subsets) => {
    expect(row(endpoints, stored(endpoints, { subsets }))).toEqual({ Endpoints: expected, Age: '60m' })
  })
})
