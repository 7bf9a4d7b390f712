import { describe, expect, it } from 'vitest'
import { requestInfo } from '../request-info.ts'
import { parsePolicy } from './policy-file.ts'
import { PolicyRules } from './policy.ts'

const HEAD = 'apiVersion: audit.k8s.io/v1\nkind: Policy\n'
const judge = (rules: string, user: { name: string; groups?: readonly string[] } | null, method: string, target: string) => {
  const [path = '', query] = target.split('?')
  const parsed = new PolicyRules(parsePolicy(`${HEAD}${rules}`, 'policy.yaml'))
  return parsed.judge(user && { groups: [], ...user }, requestInfo(method, path, new URLSearchParams(query)))
}
const level = (...given: Parameters<typeof judge>) => judge(...given)?.level ?? 'None'
const ada = { name: 'ada', groups: ['staff'] }

describe('a policy', () => {
  it('goes by the first rule that fits', () => {
    const rules = 'rules: [{ level: None, users: [ada], verbs: [watch] }, { level: Request, users: [ada] }, { level: Metadata }]'
    expect(level(rules, ada, 'GET', '/api/v1/pods?watch=1')).toBe('None')
    expect(level(rules, ada, 'GET', '/api/v1/pods')).toBe('Request')
    expect(level(rules, { name: 'bob' }, 'GET', '/api/v1/pods')).toBe('Metadata')
    expect(level(rules, null, 'GET', '/api/v1/pods')).toBe('Metadata')
  })

  it('notes nothing of what no rule fits', () => {
    expect(level('rules: [{ level: Metadata, userGroups: [staff] }]', { name: 'bob', groups: ['others'] }, 'GET', '/version')).toBe('None')
    expect(level('rules: [{ level: Metadata, userGroups: [staff] }]', ada, 'GET', '/version')).toBe('Metadata')
  })

  it.each<[pattern: string, path: string, fits: boolean]>([
    ['{ group: "", resources: [pods] }', '/api/v1/namespaces/a/pods/p', true],
    ['{ group: "", resources: [pods] }', '/api/v1/namespaces/a/pods/p/log', false],
    ['{ group: "", resources: [pods/log] }', '/api/v1/namespaces/a/pods/p/log', true],
    ['{ group: "", resources: ["pods/*"] }', '/api/v1/namespaces/a/pods/p/status', true],
    ['{ group: "", resources: ["pods/*"] }', '/api/v1/namespaces/a/pods/p', true],
    ['{ group: apps, resources: ["*/scale"] }', '/apis/apps/v1/namespaces/a/deployments/d/scale', true],
    ['{ group: apps, resources: ["*/scale"] }', '/apis/apps/v1/namespaces/a/deployments/d', false],
    ['{ group: "", resources: ["*"] }', '/api/v1/nodes/n/status', true],
    ['{ group: apps }', '/apis/apps/v1/deployments', true],
    ['{ group: apps }', '/api/v1/pods', false],
    ['{ group: "", resources: [secrets], resourceNames: [s] }', '/api/v1/namespaces/a/secrets/s', true],
    ['{ group: "", resources: [secrets], resourceNames: [s] }', '/api/v1/namespaces/a/secrets/t', false],
    ['{ group: "" }', '/version', false],
  ])('with resources %s and %s: %s', (pattern, path, fits) => {
    expect(level(`rules: [{ level: Metadata, resources: [${pattern}] }]`, ada, 'GET', path)).toBe(fits ? 'Metadata' : 'None')
  })

  it('tells namespaces apart, and what is in none', () => {
    const rules = 'rules: [{ level: Metadata, namespaces: [a] }, { level: Request, namespaces: [""] }]'
    expect(level(rules, ada, 'GET', '/api/v1/namespaces/a/pods')).toBe('Metadata')
    expect(level(rules, ada, 'GET', '/api/v1/nodes')).toBe('Request')
    expect(level(rules, ada, 'GET', '/api/v1/namespaces/b/pods')).toBe('None')
    expect(level(rules, ada, 'GET', '/healthz')).toBe('None')
  })

  it.each([
    ['/healthz*', '/healthz/ping', true],
    ['/healthz', '/healthz/ping', false],
    ['*', '/version', true],
    ['*', '/api/v1/pods', false],
  ])('with the path %s and %s: %s', (pattern, path, fits) => {
    expect(level(`rules: [{ level: Metadata, nonResourceURLs: ["${pattern}"] }]`, ada, 'GET', path)).toBe(fits ? 'Metadata' : 'None')
  })

  it('leaves out stages and managed fields as rule and policy say', () => {
    const rules = `omitStages: [RequestReceived]\nomitManagedFields: true\nrules: [{ level: Request, omitStages: [Panic], omitManagedFields: false, verbs: [get] }, { level: Request }]`
    expect(judge(rules, ada, 'GET', '/version')).toEqual({
      level: 'Request',
      omitStages: new Set(['RequestReceived', 'Panic']),
      omitManagedFields: false,
    })
    expect(judge(rules, ada, 'POST', '/version')).toMatchObject({ omitManagedFields: true })
  })
})

describe('a policy that cannot be used', () => {
  it.each<[text: string, why: string]>([
    ['rules: [', 'It is not YAML: '],
    ['[]', 'the document: Invalid value: []: must hold fields and values'],
    ['apiVersion: audit.k8s.io/v1beta1\nkind: Policy', 'apiVersion: Unsupported value: "audit.k8s.io/v1beta1"'],
    [HEAD, 'rules: Required value: a policy needs at least one rule'],
    [`${HEAD}rules: [{}]`, 'rules[0].level: Required value'],
    [
      `${HEAD}rules: [{ level: All }]`,
      'rules[0].level: Unsupported value: "All": supported values: "None", "Metadata", "Request", "RequestResponse"',
    ],
    [`${HEAD}rules: [{ level: None, user: [ada] }]`, 'rules[0].user: Invalid value: "user": there is no field of this name'],
    [`${HEAD}rules: [{ level: None, users: ada }]`, 'rules[0].users: Invalid value: "ada": must be a list'],
    [`${HEAD}rules: [{ level: None, omitStages: [End] }]`, 'rules[0].omitStages[0]: Unsupported value: "End"'],
    [
      `${HEAD}rules: [{ level: None, nonResourceURLs: [healthz, "/a*b"] }]`,
      'rules[0].nonResourceURLs[0]: Invalid value: "healthz": non-resource URL rules must begin',
    ],
    [
      `${HEAD}rules: [{ level: None, nonResourceURLs: ["/a"], namespaces: [b] }]`,
      'rules cannot apply to both regular resources and non-resource URLs',
    ],
    [`${HEAD}rules: [{ level: None, resources: [{ group: apps/v1 }] }]`, 'rules[0].resources[0].group: Invalid value: "apps/v1"'],
    [
      `${HEAD}rules: [{ level: None, resources: [{ group: "", resourceNames: [a] }] }]`,
      'using resourceNames requires at least one resource',
    ],
  ])('is refused by name: %j', (text, why) => {
    expect(() => parsePolicy(text, '/etc/policy.yaml')).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        what: 'The audit policy /etc/policy.yaml cannot be used.',
        why: expect.stringContaining(why) as string,
      }) as Error,
    )
  })

  it('is told all that is wrong at once', () => {
    expect(() => parsePolicy(`${HEAD}rules: [{ level: A }, { level: B }]`, 'p')).toThrow(/rules\[0\]\.level.*rules\[1\]\.level/)
  })
})
