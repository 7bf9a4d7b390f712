import { describe, expect, it } from 'vitest'
import {
  cidrContains,
  cidrErrors,
  endpointIpErrors,
  formatCidr,
  formatIp,
  ipErrors,
  isDualStack,
  isDualStackCidrs,
  parseCidr,
  parseIp,
} from './ip.ts'

const shown = (text: string) => {
  const ip = parseIp(text)
  return ip && formatIp(ip)
}

describe('addresses', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['fe80::', 'fe80::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
  ])('%s is written %s', (text, canonical) => {
    expect(shown(text)).toBe(canonical)
  })

  it.each([
    '',
    'x',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1:2',
    '1::2::3',
    ':::',
    '1:2:3:4:5:6:7:8:9',
    'fe80::1%eth0',
    '12345::',
    '1.2.3.4:80',
  ])('%j is none', (text) => {
    expect(parseIp(text)).toBeNull()
    expect(ipErrors('a', text)[0]?.message).toMatch(/must be a valid IP address, \(e.g. 10.9.8.7 or 2001:db8::ffff\)$/)
  })

  it('in risky forms are refused with the reason', () => {
    expect(ipErrors('a', '010.0.0.1')[0]?.message).toBe('Invalid value: "010.0.0.1": must not have leading 0s')
    expect(ipErrors('a', '::ffff:1.2.3.4')[0]?.message).toBe('Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address')
    expect(ipErrors('a', 'FE80::1')).toEqual([])
  })

  it('of endpoints must be reachable from elsewhere', () => {
    expect(endpointIpErrors('a', '10.1.2.3')).toEqual([])
    expect(endpointIpErrors('a', '127.0.0.1')[0]?.message).toContain('may not be in the loopback range (127.0.0.0/8, ::1/128)')
    expect(endpointIpErrors('a', '0.0.0.0')[0]?.message).toContain('may not be unspecified (0.0.0.0)')
    expect(endpointIpErrors('a', 'fe80::1')[0]?.message).toContain('link-local range')
    expect(endpointIpErrors('a', '224.0.0.5')[0]?.message).toContain('link-local multicast range')
  })
})

describe('blocks', () => {
  it('contain their addresses', () => {
    const cidr = parseCidr('10.244.1.0/24')
    const [inside, outside] = [parseIp('10.244.1.200'), parseIp('10.244.2.1')]
    if (!cidr || !inside || !outside) throw new Error('did not parse')
    expect(cidrContains(cidr, inside)).toBe(true)
    expect(cidrContains(cidr, outside)).toBe(false)
    expect(formatCidr({ ...cidr, prefix: 16 })).toBe('10.244.0.0/16')
  })

  it.each([
    ['10.0.0.0', 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
    ['10.0.0.0/33', 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
    ['10.0.0.0/08', 'must not have leading 0s in IP or prefix length'],
    ['10.0.0.1/24', 'must not have bits set beyond the prefix length'],
    ['::ffff:1.2.3.0/120', 'must not have an IPv4-mapped IPv6 address'],
  ])('%s is refused: %s', (text, message) => {
    expect(cidrErrors('a', text).map((e) => e.message)).toEqual([`Invalid value: "${text}": ${message}`])
  })

  it('are dual-stack with one of each family', () => {
    expect(isDualStack(['10.0.0.1', 'fd00::1'])).toBe(true)
    expect(isDualStack(['10.0.0.1', '10.0.0.2'])).toBe(false)
    expect(isDualStackCidrs(['10.0.0.0/24', 'fd00::/64'])).toBe(true)
  })
})
