import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, stored, updated } from '../../testing/rules.ts'
import { endpointSlice } from './endpoint-slice.ts'
import type { EndpointSlice } from './types.gen.ts'

const endpoint = (more: Loose = {}) => ({ addresses: ['10.0.0.1'], ...more })
const of = (more: Loose = {}): Loose => ({ addressType: 'IPv4', endpoints: [endpoint()], ports: [{ port: 80 }], ...more })
const many = (n: number) => Array.from({ length: n }, (_, i) => i)

describe('an endpoint slice', () => {
  it.each<[what: string, manifest: Loose, errors: string[]]>([
    [
      'an ordinary one',
      of({ endpoints: [endpoint({ nodeName: 'n', hostname: 'h', zone: 'z', hints: { forZones: [{ name: 'z' }] } })] }),
      [],
    ],
    ['of names', of({ addressType: 'FQDN', endpoints: [endpoint({ addresses: ['a.example', 'b.example.'] })] }), []],
    ['without a type', of({ addressType: '' }), ['addressType: Required value']],
    ['of an unknown type', of({ addressType: 'MAC' }), ['addressType: Unsupported value: "MAC": supported values: "FQDN", "IPv4", "IPv6"']],
    ['of no address', of({ endpoints: [{ addresses: [] }] }), ['endpoints[0].addresses: Required value: must contain at least 1 address']],
    [
      'of addresses of another family, and special ones',
      of({ endpoints: [endpoint({ addresses: ['fd00::1', '127.0.0.1', 'x'] })] }),
      [
        'endpoints[0].addresses[0]: Invalid value: "fd00::1": must be an IPv4 address',
        'endpoints[0].addresses[1]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
        'endpoints[0].addresses[2]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    [
      'of names that are none',
      of({ addressType: 'FQDN', endpoints: [endpoint({ addresses: ['', 'local'] })] }),
      [
        'endpoints[0].addresses[0]: Required value',
        'endpoints[0].addresses[1]: Invalid value: "local": should be a domain with at least two segments separated by dots',
      ],
    ],
    [
      'of too many addresses',
      of({ endpoints: [endpoint({ addresses: many(101).map((i) => `10.0.0.${i + 1}`) })] }),
      ['endpoints[0].addresses: Too many: 101: must have at most 100 items'],
    ],
    [
      'of too many endpoints',
      of({ endpoints: many(1001).map(() => endpoint()) }),
      ['endpoints: Too many: 1001: must have at most 1000 items'],
    ],
    [
      'with hints twice and too many',
      of({
        endpoints: [
          endpoint({ hints: { forZones: [{ name: 'a' }, { name: 'a' }] } }),
          endpoint({ hints: { forNodes: many(9).map((i) => ({ name: `n${i}` })) } }),
        ],
      }),
      ['endpoints[0].hints.forZones[1].name: Duplicate value: "a"', 'endpoints[1].hints.forNodes: Too many: 9: must have at most 8 items'],
    ],
    [
      'with ports of one name and unknown protocols',
      of({ ports: [{ port: 80 }, { port: 81 }, { name: 'a', protocol: 'ICMP', appProtocol: 'h2c' }] }),
      ['ports[1].name: Duplicate value: ""', 'ports[2].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"'],
    ],
  ])('%s', (_, manifest, errors) => {
    expect(created(endpointSlice, manifest).errors).toEqual(errors)
  })

  it('is of TCP, without a name, and without the topology of old', () => {
    const { object } = created(endpointSlice, of({ endpoints: [endpoint({ deprecatedTopology: { a: 'b' } })] }))
    expect(object.ports).toEqual([{ name: '', port: 80, protocol: 'TCP' }])
    expect(object.endpoints?.[0]).not.toHaveProperty('deprecatedTopology')
  })

  it('keeps its type', () => {
    const outcome = updated(endpointSlice, stored(endpointSlice, of()), (slice) => {
      Object.assign(slice, { addressType: 'IPv6', endpoints: [] })
    })
    expect(outcome.errors).toEqual(['addressType: Invalid value: "IPv6": field is immutable'])
  })

  it.each<[what: string, change: (slice: EndpointSlice) => void, counts: boolean]>([
    ['its endpoints', (slice) => (slice.endpoints = []), true],
    ['its labels', ({ metadata }) => (metadata.labels = { a: 'b' }), true],
    ['its version', ({ metadata }) => (metadata.resourceVersion = '9'), false],
  ])('is another generation with %s: %s', (_, change, counts) => {
    const old = stored(endpointSlice, of())
    const slice = structuredClone(old)
    change(slice)
    expect(endpointSlice.strategy.generationChanged?.(slice, old)).toBe(counts)
  })

  it.each<[manifest: Loose, ports: string, endpoints: string]>([
    [of(), '80', '10.0.0.1'],
    [of({ ports: [], endpoints: [] }), '<unset>', '<unset>'],
    [of({ ports: [{ name: 'a' }, { port: 1 }, { port: 2 }, { port: 3 }] }), 'a,1,2 + 1 more...', '10.0.0.1'],
  ])('%j is shown as %s and %s', (manifest, ports, endpoints) => {
    expect(row(endpointSlice, stored(endpointSlice, manifest))).toEqual({
      AddressType: 'IPv4',
      Ports: ports,
      Endpoints: endpoints,
      Age: '60m',
    })
  })

  it('always says which endpoints and ports it has, also if it has none', () => {
    expect(created(endpointSlice, { addressType: 'IPv4' }).object).toMatchObject({ endpoints: [], ports: [] })
  })
})
