import { describe, expect, it } from 'vitest'
import { BlockPool } from './block-pool.ts'

const takeAll = (pool: BlockPool, used: string[] = []): string[] => {
  const out: string[] = []
  for (let block = pool.take(used); block !== null; block = pool.take([...used, ...out])) out.push(block)
  return out
}

describe('a pool of address blocks', () => {
  it('gives each block once, and then none', () => {
    expect(takeAll(new BlockPool('10.244.0.0/22'))).toEqual(['10.244.0.0/24', '10.244.1.0/24', '10.244.2.0/24', '10.244.3.0/24'])
    expect(takeAll(new BlockPool('10.244.0.0/30', 32))).toHaveLength(4)
    expect(takeAll(new BlockPool('fd00:10::/62'))).toEqual(['fd00:10::/64', 'fd00:10:0:1::/64', 'fd00:10:0:2::/64', 'fd00:10:0:3::/64'])
  })

  it('keeps clear of ranges of any size that are in use', () => {
    const pool = () => new BlockPool('10.244.0.0/21')
    expect(takeAll(pool(), ['10.244.1.128/25', '10.244.4.0/23', '192.168.0.0/24', 'fd00::/64', 'rubbish'])).toEqual([
      '10.244.0.0/24',
      '10.244.2.0/24',
      '10.244.3.0/24',
      '10.244.6.0/24',
      '10.244.7.0/24',
    ])
    expect(takeAll(pool(), ['10.0.0.0/8'])).toEqual([])
    expect(takeAll(pool(), ['0.0.0.0/0'])).toEqual([])
  })

  it('does not give what was given back before all others were', () => {
    const pool = new BlockPool('10.244.0.0/22')
    expect(pool.take([])).toBe('10.244.0.0/24')
    expect(pool.take([])).toBe('10.244.1.0/24')
    expect(pool.take(['10.244.2.0/24'])).toBe('10.244.3.0/24')
    expect(pool.take([])).toBe('10.244.0.0/24')
  })

  it.each([
    ['nonsense', undefined],
    ['10.244.0.0/25', undefined],
    ['10.244.0.0/16', 33],
    ['fd00::/65', undefined],
  ])('refuses %s in blocks of %s', (range, prefix) => {
    expect(() => new BlockPool(range, prefix)).toThrow(Error)
  })
})
