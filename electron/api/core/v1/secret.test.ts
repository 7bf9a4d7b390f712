import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, stored, updated } from '../../testing/rules.ts'
import { base64FromText } from '../../values/base64.ts'
import { secret } from './secret.ts'
import type { Secret } from './types.gen.ts'

const of = (type: string, data: Record<string, string> = {}, more: Loose = {}): Loose => ({
  type: type.startsWith('/') ? `kubernetes.io${type}` : type,
  data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64FromText(text)])),
  ...more,
})

describe('a secret', () => {
  const ACCOUNT = { metadata: { annotations: { 'kubernetes.io/service-account.name': 'default' } } }
  it.each<[what: string, manifest: Loose, errors: string[]]>([
    ['empty', {}, []],
    ['of a type of somebody’s own', of('example.com/what', { a: 'b' }), []],
    ['for an account', of('/service-account-token', {}, ACCOUNT), []],
    ['for no account', of('/service-account-token'), ['metadata.annotations[kubernetes.io/service-account.name]: Required value']],
    ['for a registry', of('/dockerconfigjson', { '.dockerconfigjson': '{"auths":{}}' }), []],
    ['for a registry, without the key', of('/dockerconfigjson', { a: '{}' }), ['data[.dockerconfigjson]: Required value']],
    [
      'for a registry, without content',
      of('/dockerconfigjson', { '.dockerconfigjson': '' }),
      ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": unexpected end of JSON input'],
    ],
    [
      'for a registry, in no JSON',
      of('/dockercfg', { '.dockercfg': 'password' }),
      ['data[.dockercfg]: Invalid value: "<secret contents redacted>": invalid character \'p\' looking for beginning of value'],
    ],
    [
      'for a registry, as a list',
      of('/dockercfg', { '.dockercfg': '[]' }),
      [
        'data[.dockercfg]: Invalid value: "<secret contents redacted>": json: cannot unmarshal array into Go value of type map[string]interface {}',
      ],
    ],
    ['with a password only', of('/basic-auth', { password: '' }), []],
    ['with neither user nor password', of('/basic-auth'), ['data[username]: Required value', 'data[password]: Required value']],
    ['with an empty key for SSH', of('/ssh-auth', { 'ssh-privatekey': '' }), ['data[ssh-privatekey]: Required value']],
    ['with half of a pair', of('/tls', { 'tls.crt': 'x' }), ['data[tls.key]: Required value']],
    ['with more than a mebibyte', of('Opaque', { a: 'x'.repeat(1024 * 1024 + 1) }), ['data: Too long: may not be more than 1048576 bytes']],
  ])('%s', (_, manifest, errors) => {
    expect(created(secret, manifest).errors).toEqual(errors)
  })

  it('takes text for data, which wins', () => {
    const { object } = created(secret, { data: { a: 'AA==', b: 'AA==' }, stringData: { a: 'é', c: '' } })
    expect(object).toMatchObject({ type: 'Opaque', data: { a: 'w6k=', b: 'AA==', c: '' } })
    expect(object).not.toHaveProperty('stringData')
  })

  it.each<[what: string, change: (object: Secret) => void, errors: string[]]>([
    ['its type', (object) => (object.type = 'a/b'), ['type: Invalid value: "a/b": field is immutable']],
    ['its data', (object) => (object.stringData = { a: '2' }), []],
  ])('changed in %s', (_, change, errors) => {
    expect(updated(secret, stored(secret, { data: { a: 'AA==' } }), change).errors).toEqual(errors)
  })

  it('that is immutable keeps its data', () => {
    const old = stored(secret, { immutable: true, data: { a: 'AA==' } })
    const { errors } = updated(secret, old, (object) => {
      object.stringData = { a: '2' }
    })
    expect(errors).toEqual(['data: Forbidden: field is immutable when `immutable` is set'])
  })

  it('is shown and found by its type', () => {
    const object = stored(secret, { data: { a: '' } })
    expect(row(secret, object)).toEqual({ Type: 'Opaque', Data: 1, Age: '60m' })
    expect(secret.selectableFields['type']?.(object)).toBe('Opaque')
  })
})
