import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, decoded, row, statusUpdated, stored, updated } from '../../testing/rules.ts'
import { ingressClass } from './ingress-class.ts'
import { ingress } from './ingress.ts'

const backend = (more: Loose = {}) => ({ service: { name: 'web', port: { number: 80 } }, ...more })
const path = (more: Loose = {}) => ({ path: '/', pathType: 'Prefix', backend: backend(), ...more })
const rule = (more: Loose = {}, ...paths: Loose[]) => ({ http: { paths: paths.length ? paths : [path()] }, ...more })
const of = (...rules: Loose[]): Loose => ({ spec: { rules } })
const HTTP = 'spec.rules[0].http.paths[0]'
const CLASS = 'kubernetes.io/ingress.class'

describe('an ingress', () => {
  it.each<[what: string, manifest: Loose, errors: string[]]>([
    ['an ordinary one', of(rule({ host: '*.example.com' })), []],
    ['of all to one', { spec: { defaultBackend: backend(), ingressClassName: 'nginx' } }, []],
    ['of nothing', { spec: {} }, ['spec: Invalid value: null: either `defaultBackend` or `rules` must be specified']],
    [
      'of hosts that are none',
      of(rule({ host: '192.0.2.1' }), rule({ host: 'a.*' })),
      [
        'spec.rules[0].host: Invalid value: "192.0.2.1": must be a DNS name, not an IP address',
        "spec.rules[1].host: Invalid value: \"a.*\": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    ],
    ['without paths', of({ http: { paths: [] } }), ['spec.rules[0].http.paths: Required value']],
    ['of a host only', of({ host: 'a.b' }), []],
    [
      'without a type of path',
      of(rule({}, path({ pathType: undefined }))),
      [`${HTTP}.pathType: Required value: pathType must be specified`],
    ],
    [
      'with an unknown type of path',
      of(rule({}, path({ pathType: 'Regex' }))),
      [`${HTTP}.pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"`],
    ],
    ['with a path that goes nowhere', of(rule({}, path({ path: 'a' }))), [`${HTTP}.path: Invalid value: "a": must be an absolute path`]],
    ['with no path, if its server knows what that means', of(rule({}, path({ path: '', pathType: 'ImplementationSpecific' }))), []],
    [
      'with a path that goes back',
      of(rule({}, path({ path: '/a//b%2f/..' }))),
      [
        `${HTTP}.path: Invalid value: "/a//b%2f/..": must not contain '//'`,
        `${HTTP}.path: Invalid value: "/a//b%2f/..": must not contain '%2f'`,
        `${HTTP}.path: Invalid value: "/a//b%2f/..": cannot end with '/..'`,
      ],
    ],
    ['to nothing', of(rule({}, path({ backend: {} }))), [`${HTTP}.backend: Invalid value: "": resource or service backend is required`]],
    [
      'to two things',
      of(rule({}, path({ backend: backend({ resource: { kind: 'A', name: 'b' } }) }))),
      [`${HTTP}.backend: Invalid value: "": cannot set both resource and service backends`],
    ],
    [
      'to a bad resource',
      of(rule({}, path({ backend: { resource: { kind: '', name: 'a/b' } } }))),
      [
        `${HTTP}.backend.resource.kind: Required value: kind is required`,
        `${HTTP}.backend.resource.name: Invalid value: "a/b": may not contain '/'`,
      ],
    ],
    [
      'to a service without a port',
      of(rule({}, path({ backend: { service: { name: '' } } }))),
      [`${HTTP}.backend.service.name: Required value`, `${HTTP}.backend: Required value: port name or number is required`],
    ],
    [
      'to a service with a port twice',
      of(rule({}, path({ backend: { service: { name: 'a', port: { name: 'http', number: 80 } } } }))),
      [`${HTTP}.backend: Invalid value: "": cannot set both port name & port number`],
    ],
    [
      'of two classes',
      { metadata: { annotations: { [CLASS]: 'a' } }, spec: { ingressClassName: 'b', defaultBackend: backend() } },
      [`annotations.${CLASS}: Invalid value: "a": must match \`ingressClassName\` when both are specified`],
    ],
  ])('%s', (_, manifest, errors) => {
    expect(created(ingress, manifest).errors).toEqual(errors)
  })

  it('has addresses that are some', () => {
    const outcome = statusUpdated(ingress, stored(ingress, of(rule())), ({ status }) => {
      status.loadBalancer = { ingress: [{ ip: 'x' }, { hostname: '192.0.2.1' }] }
    })
    expect(outcome.errors).toEqual([
      'status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'status.loadBalancer.ingress[1].hostname: Invalid value: "192.0.2.1": must be a DNS name, not an IP address',
    ])
  })

  it('warns of the annotation of old when it is made', () => {
    const object = stored(ingress, { ...of(rule()), metadata: { annotations: { [CLASS]: 'a' } } })
    expect(ingress.strategy.warnings?.(object, null)).toEqual([
      `annotation "${CLASS}" is deprecated, please use 'spec.ingressClassName' instead`,
    ])
    expect(ingress.strategy.warnings?.(object, object)).toEqual([])
  })

  it.each<[manifest: Loose, expected: Loose]>([
    [of(rule()), { Class: '<none>', Hosts: '*', Address: '', Ports: '80', Age: '60m' }],
    [
      { ...of(...['a', 'b', 'c', 'd'].map((host) => rule({ host }))), status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } },
      { Hosts: 'a,b,c + 1 more...', Address: '192.0.2.1' },
    ],
    [{ spec: { tls: [{ hosts: ['a.b'] }], ingressClassName: 'nginx', defaultBackend: backend() } }, { Class: 'nginx', Ports: '80, 443' }],
  ])('%j is shown as %j', (manifest, expected) => {
    expect(row(ingress, stored(ingress, manifest))).toMatchObject(expected)
  })
})

describe('a class of ingresses', () => {
  const parameters = (more: Loose = {}) => ({ kind: 'Config', name: 'a', ...more })

  it.each<[what: string, spec: Loose, errors: string[]]>([
    ['an ordinary one', { controller: 'a.b/c', parameters: parameters({ apiGroup: 'a.b' }) }, []],
    ['without a controller', {}, ['spec.controller: Required value']],
    ['of a long one', { controller: `a.b/${'c'.repeat(247)}` }, ['spec.controller: Too long: may not be more than 250 bytes']],
    [
      'of one without a domain',
      { controller: 'me' },
      ['spec.controller: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")'],
    ],
    [
      'with parameters in no namespace',
      { controller: 'a.b/c', parameters: parameters({ scope: 'Namespace' }) },
      ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
    ],
    [
      'with parameters of the cluster in a namespace',
      { controller: 'a.b/c', parameters: parameters({ namespace: 'x' }) },
      ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
    ],
    [
      'with parameters of another scope',
      { controller: 'a.b/c', parameters: parameters({ scope: 'World' }) },
      ['spec.parameters.scope: Unsupported value: "World": supported values: "Cluster", "Namespace"'],
    ],
  ])('%s', (_, spec, errors) => {
    expect(created(ingressClass, { spec }).errors).toEqual(errors)
  })

  it('has parameters of the cluster by default', () => {
    expect(decoded(ingressClass, { spec: { parameters: parameters() } }).spec.parameters?.scope).toBe('Cluster')
  })

  it('keeps its controller', () => {
    const outcome = updated(ingressClass, stored(ingressClass, { spec: { controller: 'a.b/c' } }), ({ spec }) => {
      spec.controller = 'a.b/d'
    })
    expect(outcome.errors).toEqual(['spec.controller: Invalid value: "a.b/d": field is immutable'])
  })

  it.each([
    [undefined, '<none>'],
    [parameters(), 'Config/a'],
    [parameters({ apiGroup: 'x.y' }), 'Config.x.y/a'],
  ])('%j is shown as %s', (given, expected) => {
    const object = stored(ingressClass, { spec: { controller: 'a.b/c', parameters: given } })
    expect(row(ingressClass, object)).toEqual({ Controller: 'a.b/c', Parameters: expected, Age: '60m' })
  })
})
