import { describe, expect, it } from 'vitest'
import { decodeRelease, encodeRelease, fileText, type HelmRelease } from './release.ts'
import { computedValues } from './values.ts'

const release: HelmRelease = {
  name: 'web',
  namespace: 'shop',
  version: 2,
  info: { status: 'deployed', notes: 'Grüße' },
  chart: { metadata: { name: 'web', version: '1.0.0' }, templates: [{ name: 'templates/a.yaml', data: btoa('kind: Pod') }] },
  config: { greeting: 'servus' },
  manifest: '---\nkind: Pod\n',
}

describe('decodeRelease', () => {
  it('reads what encodeRelease wrote, with all letters', async () => {
    const back = await decodeRelease(await encodeRelease(release))
    expect(back).toEqual(release)
    expect(fileText(back.chart.templates?.[0]?.data ?? '')).toBe('kind: Pod')
  })

  it('reads a release that is not compressed', async () => {
    const plain = { ...release, info: { status: 'deployed' } as const }
    expect(await decodeRelease(btoa(btoa(JSON.stringify(plain))))).toEqual(plain)
  })

  it('refuses what is no release', async () => {
    await expect(decodeRelease(btoa(btoa('{"name":"web"}')))).rejects.toThrow('not a release of Helm')
    await expect(decodeRelease(btoa(btoa('no json')))).rejects.toThrow(SyntaxError)
  })
})

describe('computedValues', () => {
  it('merges maps key by key, replaces lists, and drops what is set to null', () => {
    const own = { image: { name: 'web', tag: '1' }, list: [1, 2], probe: { path: '/' }, keep: true }
    const set = { image: { tag: '2' }, list: [3], probe: null, more: { a: null } }
    expect(computedValues(own, set)).toEqual({ image: { name: 'web', tag: '2' }, list: [3], keep: true, more: { a: null } })
    expect(computedValues(null, null)).toEqual({})
  })
})
