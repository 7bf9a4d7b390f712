/**
 * How this server says to another API server who asks: a client certificate that proves it to be the front, and headers with the
 * user. Its authority is made anew with each start; others learn it, and the last ones before it, from a ConfigMap. Source: kubernetes
 * "Configure the Aggregation Layer".
 */
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { CLIENT_AUTH, createAuthority, generateKeys, issue, privateKeyPem, type KeyPairPem } from '../pki/certificate.ts'
import type { UserInfo } from '../types.ts'

export const AUTHENTICATION_CONFIG = { namespace: 'kube-system', name: 'extension-apiserver-authentication' }
const COMMON_NAME = 'front-proxy-client'
const USER = 'x-remote-user'
const UID = 'x-remote-uid'
const GROUP = 'x-remote-group'
const EXTRA = 'x-remote-extra-'
const YEAR = 365 * 24 * 3600_000
const BACKDATE = 3600_000
/** Authorities that are still told of, because servers with their certificates may still run. */
const KEPT = 4

export interface FrontProxy {
  readonly identity: KeyPairPem
  readonly caPem: string
}

export async function createFrontProxy(clock: Clock, random: Random): Promise<FrontProxy> {
  const times = { notBefore: clock.now() - BACKDATE, notAfter: clock.now() + YEAR }
  const suffix = Buffer.from(random.bytes(4)).toString('hex')
  const authority = await createAuthority({ commonName: `flotilla-front-proxy-ca-${suffix}`, ...times, random })
  const { publicKey, privateKey } = await generateKeys()
  const cert = await issue(authority, { subject: { commonName: COMMON_NAME }, publicKey, ...times, usages: CLIENT_AUTH }, random)
  return { identity: { cert, key: await privateKeyPem(privateKey) }, caPem: `${authority.cert.toString('pem')}\n` }
}

/** What extension servers read; `before` is what they were told last. */
export function authenticationData(caPem: string, clientCa: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const known = (before['requestheader-client-ca-file'] ?? '').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  const all = [...new Set([...known, caPem.trim()])].slice(-KEPT)
  return {
    'client-ca-file': clientCa,
    'requestheader-allowed-names': JSON.stringify([COMMON_NAME]),
    'requestheader-client-ca-file': `${all.join('\n')}\n`,
    'requestheader-extra-headers-prefix': JSON.stringify(['X-Remote-Extra-']),
    'requestheader-group-headers': JSON.stringify(['X-Remote-Group']),
    'requestheader-uid-headers': JSON.stringify(['X-Remote-Uid']),
    'requestheader-username-headers': JSON.stringify(['X-Remote-User']),
  }
}

export function userHeaders({ name, uid, groups, extra = {} }: UserInfo): Record<string, string | string[]> {
  const more = Object.entries(extra).map(([key, values]) => [EXTRA + encodeURIComponent(key.toLowerCase()), [...values]] as const)
  return { [USER]: name, ...(uid ? { [UID]: uid } : {}), [GROUP]: [...groups], ...Object.fromEntries(more) }
}
