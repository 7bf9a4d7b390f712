import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseCommand } from '../command.ts'
import { accessOf } from './access-options.ts'
import { serve } from './serve.ts'

const access = (...words: string[]) => accessOf(parseCommand(serve, words))

describe('options of serve for access', () => {
  it('are none by default', () => {
    expect(access('--port', '1')).toBeUndefined()
  })

  it('name one issuer, with what kube-apiserver lets be said of it', () => {
    const words = [
      '--oidc-issuer-url',
      'https://a',
      '--oidc-client-id',
      'b',
      '--oidc-username-claim',
      'email',
      '--oidc-username-prefix',
      '-',
    ]
    const more = [
      '--oidc-groups-claim',
      'groups',
      '--oidc-groups-prefix',
      'g:',
      '--oidc-required-claim',
      'hd=x',
      '--oidc-required-claim',
      'a=b=c',
    ]
    expect(access(...words, ...more, '--oidc-ca-file', 'ca.pem', '--oidc-signing-algs', 'RS256, ES256')).toEqual({
      oidc: {
        ...{
          issuerUrl: 'https://a',
          clientId: 'b',
          usernameClaim: 'email',
          usernamePrefix: '-',
          groupsClaim: 'groups',
          groupsPrefix: 'g:',
        },
        ...{ requiredClaims: { hd: 'x', a: 'b=c' }, caFile: resolve('ca.pem'), signingAlgorithms: ['RS256', 'ES256'] },
      },
    })
  })

  it('name files and servers, with how long answers hold', () => {
    const files = ['--authentication-config', 'a.yaml', '--authorization-config', '/b.yaml']
    const tokens = ['--authentication-token-webhook-config-file', '/c', '--authentication-token-webhook-cache-ttl', '1m30s']
    const rights = ['--authorization-webhook-config-file', '/d', '--authorization-webhook-cache-unauthorized-ttl', '0']
    const versions = ['--authentication-token-webhook-version', 'v1beta1', '--authorization-mode', 'RBAC,Webhook']
    expect(access(...files, ...tokens, ...rights, ...versions)).toEqual({
      authenticationFile: resolve('a.yaml'),
      authorizationFile: '/b.yaml',
      tokenWebhook: { kubeconfig: '/c', cacheTtl: 90_000, version: 'v1beta1' },
      authorizationModes: ['RBAC', 'Webhook'],
      authorizationWebhook: { kubeconfig: '/d', unauthorizedTtl: 0 },
    })
  })

  it.each<[string, string[], RegExp]>([
    ['an issuer without a client', ['--oidc-issuer-url', 'https://a'], /go together/],
    ['a claim without an issuer', ['--oidc-required-claim', 'a=b'], /need both/],
    [
      'a required claim without a value',
      ['--oidc-issuer-url', 'https://a', '--oidc-client-id', 'b', '--oidc-required-claim', 'a'],
      /KEY=VALUE/,
    ],
    ['times without a server', ['--authorization-webhook-cache-authorized-ttl', '1m'], /go with --authorization-webhook-config-file/],
    [
      'a time that is none',
      ['--authentication-token-webhook-config-file', 'a', '--authentication-token-webhook-cache-ttl', '5'],
      /takes a duration/,
    ],
    [
      'another version',
      ['--authentication-token-webhook-config-file', 'a', '--authentication-token-webhook-version', 'v2'],
      /v1 or v1beta1/,
    ],
  ])('%s are refused', (_what, words, message) => {
    expect(() => access(...words)).toThrow(message)
  })
})
