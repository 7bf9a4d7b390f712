import { describe, expect, it } from 'vitest'
import type { ConfigMap, Secret, Volume } from '../../../api/core/v1/types.gen.ts'
import { pod } from '../../testing/pods.ts'
import { commonUser, payloadOf } from './payload.ts'
import type { PayloadInput } from './payload.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const input = (more: Partial<PayloadInput> = {}): PayloadInput => ({
  pod: pod({ containers: [{ name: 'main', resources: { limits: { memory: '64Mi' } } }] }, { labels: { app: 'web', quoted: 'a"b' } }),
  allocatable: { cpu: '4' },
  addresses: { podIPs: [], hostIPs: [] },
  objects: {
    configMap: async (_namespace, name) =>
      name === 'config'
        ? ({ data: { text: 'plain' }, binaryData: { bytes: Buffer.of(0, 255).toString('base64') } } as unknown as ConfigMap)
        : null,
    secret: async (_namespace, name) => (name === 'keys' ? ({ data: { key: base64('s3cret') } } as unknown as Secret) : null),
  },
  token: async ({ audience, expirationSeconds }) => `token for ${audience} ${expirationSeconds}`,
  ...more,
})
const read = async (volume: Partial<Volume>, more?: Partial<PayloadInput>) => {
  const payload = await payloadOf({ name: 'v', ...volume }, input(more))
  return Object.fromEntries(
    [...(payload ?? [])].map(([path, { data, mode, user }]) => [
      path,
      [Buffer.from(data).toString(), mode, ...(user === undefined ? [] : [user])],
    ]),
  )
}

describe('payloadOf', () => {
  it('takes all keys, or those asked for with their paths and modes', async () => {
    expect(await read({ configMap: { name: 'config' } })).toEqual({ text: ['plain', 0o644], bytes: [Buffer.of(0, 255).toString(), 0o644] })
    const items = [{ key: 'key', path: 'a//b', mode: 0o400 }]
    expect(await read({ secret: { secretName: 'keys', defaultMode: 0o440, items } })).toEqual({ 'a/b': ['s3cret', 0o400] })
  })

  it.each([
    [{ configMap: { name: 'none' } }, 'configmap "none" not found'],
    [{ secret: { secretName: 'none' } }, 'secret "none" not found'],
    [{ configMap: { name: 'config', items: [{ key: 'no', path: 'p' }] } }, 'configmap references non-existent config key: no'],
    [{ secret: { secretName: 'keys', items: [{ key: 'no', path: 'p' }] } }, 'references non-existent secret key: no'],
  ])('says what is missing: %j', async (volume, message) => {
    await expect(read(volume)).rejects.toThrow(message)
  })

  it('does without what is optional', async () => {
    expect(await read({ configMap: { name: 'none', optional: true } })).toEqual({})
    expect(await read({ secret: { secretName: 'keys', optional: true, items: [{ key: 'no', path: 'p' }] } })).toEqual({})
  })

  it('puts several sources into one volume', async () => {
    const sources = [
      { secret: { name: 'keys' } },
      { configMap: { name: 'config', items: [{ key: 'text', path: 'c' }] } },
      {
        downwardAPI: {
          items: [
            { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
            { path: 'memory', resourceFieldRef: { containerName: 'main', resource: 'limits.memory' }, mode: 0o600 },
            { path: 'cpu', resourceFieldRef: { containerName: 'main', resource: 'limits.cpu' } },
          ],
        },
      },
      { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 600 } },
    ]
    expect(await read({ projected: { sources, defaultMode: 0o444 } })).toEqual({
      key: ['s3cret', 0o444],
      c: ['plain', 0o444],
      labels: ['app="web"\nquoted="a\\"b"', 0o444],
      memory: [String(64 << 20), 0o600],
      cpu: ['4', 0o444],
      token: ['token for vault 600', 0o444],
    })
  })

  it('keeps a token to the user or the group of the pod', async () => {
    const volume = { projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }
    expect((await read(volume, { pod: pod({ securityContext: { runAsUser: 1000 } }) }))['token']).toEqual(['token for  3600', 0o600, 1000])
    expect((await read(volume, { pod: pod({ securityContext: { fsGroup: 2000 } }) }))['token']).toEqual(['token for  3600', 0o600])
    const two = [
      { name: 'a', securityContext: { runAsUser: 1 } },
      { name: 'b', securityContext: { runAsUser: 2 } },
    ]
    expect(commonUser(pod({ containers: two }))).toBeNull()
  })

  it('names a source that it does not know', async () => {
    await expect(read({ projected: { sources: [{ podCertificate: {} as never }] } })).rejects.toThrow(
      'the projected volume source podCertificate is not supported by this node',
    )
    expect(await payloadOf({ name: 'v', emptyDir: {} }, input())).toBeNull()
  })
})
