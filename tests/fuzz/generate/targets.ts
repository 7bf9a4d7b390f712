/** Paths, queries and headers that no client means. */
import { pathOf, type AnyKind } from '../../../electron/api/kind.ts'
import type { Dice } from './dice.ts'
import { anyKind, NAMESPACES } from './objects.ts'

const SEGMENTS = [
  '..',
  '.',
  '%2e%2e',
  '%2F',
  '%2f..%2f',
  '%00',
  '%',
  '%zz',
  '%ff',
  '%C0%80',
  '%ED%A0%80',
  '',
  '//',
  ' ',
  '%20',
  'a%0d%0aX: y',
  '__proto__',
  'constructor',
  'watch',
  'namespaces',
  'pods',
  'api',
  'apis',
  'proxy',
  'v1',
  'x'.repeat(3000),
  '%F0%9F%98%80',
  ';a=b',
  'a:b:c',
  'https:x:443',
  '*',
  '~',
]

const ROOTS = [
  '/',
  '/api',
  '/api/',
  '/api/v1',
  '/api/v2/pods',
  '/apis',
  '/apis/apps',
  '/apis/apps/v1',
  '/apis/nope/v1/things',
  '/version',
  '/healthz',
  '/livez/ping',
  '/readyz/nope',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
  '/openapi/v3/api/v1',
  '/openapi/v3/apis/__proto__',
  '/.well-known/openid-configuration',
  '/openid/v1/jwks',
  '/logs',
  '/debug/pprof/',
  '/ui',
  '*',
]

/** Not every one is a path at all. */
export function anyTarget(dice: Dice): string {
  const path = anyPath(dice)
  return dice.chance(0.4) ? `${path}?${anyQuery(dice)}` : path
}

function anyPath(dice: Dice): string {
  if (dice.chance(0.3)) return dice.one(ROOTS)
  const kind = anyKind(dice)
  const base = pathOf(kind, kind.namespaced && dice.chance(0.7) ? dice.one(NAMESPACES) : undefined)
  const more = dice.many(dice.int(5), () => (dice.chance(0.3) ? 'fz-x' : dice.one(SEGMENTS)))
  const path = [base, ...more].join('/')
  if (!dice.chance(0.3)) return path
  const parts = path.split('/')
  parts[1 + dice.int(parts.length - 1)] = dice.one(SEGMENTS)
  return parts.join('/')
}

export function subresourcePath(dice: Dice, kind: AnyKind, namespace: string, name: string): string {
  const subresource = dice.one([...Object.keys(kind.subresources), 'status', 'scale', 'nope'])
  return pathOf(kind, kind.namespaced ? namespace : undefined, name, subresource)
}

const NAMES: Readonly<Record<string, readonly string[]>> = {
  limit: ['1', '0', '-1', '500', '9223372036854775808', 'x', '1.5', ''],
  continue: ['x', '', 'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0', '%00', 'e30', 'bnVsbA', 'W10', 'MQ'],
  resourceVersion: ['0', '1', '-1', '99999999999', 'x', '', '1.0', '0x1', '18446744073709551616'],
  resourceVersionMatch: ['Exact', 'NotOlderThan', 'nope', ''],
  labelSelector: [
    'a=b',
    'a in (b,c)',
    '!a',
    'a>1',
    '(',
    'a in (',
    ',,,',
    'a==b,c!=d',
    '%00',
    `${'a,'.repeat(2000)}a`,
    '__proto__=x',
    'a in ()',
  ],
  fieldSelector: [
    'metadata.name=a',
    'metadata.name!=a',
    'spec.nodeName=',
    'status.phase=Running',
    'nope=1',
    '=',
    '\\',
    'a=b\\,c',
    '__proto__=1',
  ],
  timeoutSeconds: ['1', '0', '-5', 'x', '99999999999999'],
  timeout: ['1s', '0', '-1s', '1h', '5ms', 'x'],
  allowWatchBookmarks: ['true', '1', 'x', ''],
  sendInitialEvents: ['true', 'false', 'x'],
  pretty: ['true', '1', 'x'],
  dryRun: ['All', 'all', 'None', '', 'x'],
  fieldManager: ['m', 'x'.repeat(129), '', '\u0001', 'é'],
  fieldValidation: ['Ignore', 'Warn', 'Strict', 'strict', ''],
  force: ['true', 'x', ''],
  gracePeriodSeconds: ['0', '-1', '30', 'x', '9999999999999'],
  propagationPolicy: ['Foreground', 'Background', 'Orphan', 'nope', ''],
  orphanDependents: ['true', 'false', 'x'],
  includeObject: ['None', 'Object', 'nope'],
  verbose: ['', 'true'],
  exclude: ['ping', 'nope', 'a"b'],
  container: ['app', '', '..', 'x'.repeat(300)],
  follow: ['true', 'x'],
  tailLines: ['1', '-1', 'x'],
  sinceTime: ['2026-01-01T00:00:00Z', 'x'],
  command: ['ls', ''],
  stdout: ['true'],
  ports: ['80', '0', '99999', 'x', '80,81'],
  __proto__: ['x'],
}

/** Watches are given an end by whoever reads them. */
export function anyQuery(dice: Dice): string {
  const parts = dice.many(1 + dice.int(3), () => {
    const name = dice.one(Object.keys(NAMES))
    const value = dice.one(NAMES[name] ?? [''])
    return dice.chance(0.95) ? `${name}=${encodeURIComponent(value)}` : `${name}${value}`
  })
  if (dice.chance(0.05)) parts.push(dice.one(['%', '%zz=1', '=', '&&', 'a=%ff', '+', ';', `${'q=1&'.repeat(500)}`]))
  return parts.join('&').replaceAll(' ', '+')
}

const ACCEPTS = [
  '*/*',
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json',
  'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  'application/json;as=Nope;v=v1;g=meta.k8s.io',
  'application/yaml;as=Table;v=v1;g=meta.k8s.io',
  'application/json;stream=watch',
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/cbor',
  'text/html;q=0.9,*/*;q=0',
  ',,,;;;q=x',
  'x'.repeat(2000),
]

export function anyHeaders(dice: Dice): Record<string, string> {
  const all: readonly (readonly [string, readonly string[]])[] = [
    ['accept', ACCEPTS],
    ['accept-encoding', ['gzip', 'gzip;q=0', 'br, *', 'x'.repeat(500)]],
    ['user-agent', ['kubectl/v1.36.0', 'curl/8', '', 'é/1', 'x'.repeat(1000), '__proto__/1']],
    [
      'authorization',
      ['Bearer x', 'Bearer ', 'Basic YTpi', `Bearer ${'a.'.repeat(2000)}`, 'Bearer e30.e30.e30', 'Bearer abcdef.0123456789abcdef'],
    ],
    ['impersonate-user', ['fuzz', '', 'system:serviceaccount:default:default', 'system:node:x', 'x'.repeat(1000)]],
    ['impersonate-group', ['system:masters', 'a']],
    ['impersonate-extra-a%2fb', ['x']],
    ['impersonate-uid', ['1']],
    ['if-none-match', ['*', '"x"']],
    ['x-forwarded-for', ['1.2.3.4']],
    ['expect', ['100-continue', 'nope']],
    ['content-encoding', ['gzip', 'nope']],
    ['range', ['bytes=0-1']],
    ['origin', ['http://evil.example']],
    ['host', ['x', 'evil.example:1', '']],
    ['cookie', ['a=b; '.repeat(50)]],
    ['x-http-method-override', ['DELETE']],
    ['sec-websocket-protocol', ['base64url.bearer.authorization.k8s.io.eA', 'x']],
    ['x-remote-user', ['admin']],
  ]
  const out: Record<string, string> = {}
  for (let i = dice.int(3); i > 0; i--) {
    const [name, values] = dice.one(all)
    out[name] = dice.one(values)
  }
  return out
}
