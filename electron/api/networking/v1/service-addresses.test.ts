import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, stored, updated } from '../../testing/rules.ts'
import { ipAddress } from './ip-address.ts'
import { serviceCIDR } from './service-cidr.ts'

const parentRef = { resource: 'services', namespace: 'default', name: 'web' }

describe('an address', () => {
  it.each([
    ['10.0.0.1', true],
    ['fd00::1', true],
    ['fd00:0::1', false],
    ['10.0.0.01', false],
    ['web', false],
  ])('may be called %s: %s', (name, allowed) => {
    expect(ipAddress.validateName(name).length === 0).toBe(allowed)
  })

  it('belongs to something, for ever', () => {
    expect(created(ipAddress, { spec: { parentRef } }).errors).toEqual([])
    expect(created(ipAddress, { spec: {} }).errors).toEqual(['spec.parentRef: Required value'])
    expect(created(ipAddress, { spec: { parentRef: { group: 'A', resource: '', name: '', namespace: 'a/b' } } }).errors).toHaveLength(4)
    const old = stored(ipAddress, { spec: { parentRef } })
    expect(updated(ipAddress, old, ({ spec }) => void (spec.parentRef.name = 'other')).errors).toHaveLength(1)
    expect(row(ipAddress, old)['ParentRef']).toBe('services/default/web')
  })
})

describe('a range of addresses', () => {
  it.each<[what: string, cidrs: string[], errors: string[]]>([
    ['one', ['10.96.0.0/16'], []],
    ['one of each family', ['10.96.0.0/16', 'fd00::/108'], []],
    ['none', [], ['spec.cidrs: Required value: at least one CIDR required']],
    [
      'with bits beyond its prefix',
      ['10.96.0.1/16'],
      ['spec.cidrs[0]: Invalid value: "10.96.0.1/16": must not have bits set beyond the prefix length'],
    ],
    [
      'two of one family',
      ['10.96.0.0/16', '10.97.0.0/16'],
      [
        'spec.cidrs: Invalid value: ["10.96.0.0/16","10.97.0.0/16"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
      ],
    ],
    ['three', ['a', 'b', 'c'], ['spec.cidrs: Invalid value: ["a","b","c"]: may only hold up to 2 values']],
  ])('%s', (_, cidrs, errors) => {
    const manifest: Loose = { spec: { cidrs } }
    expect(created(serviceCIDR, manifest).errors).toEqual(errors)
  })

  it('stays as it is', () => {
    const old = stored(serviceCIDR, { spec: { cidrs: ['10.96.0.0/16'] } })
    expect(updated(serviceCIDR, old, ({ spec }) => void (spec.cidrs = ['10.97.0.0/16'])).errors).toHaveLength(1)
  })
})
