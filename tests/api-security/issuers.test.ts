import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clusterRoleBinding } from '../../electron/api/rbac/v1/cluster-role-binding.ts'
import { clusterRole } from '../../electron/api/rbac/v1/cluster-role.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { jsonLogger } from '../../electron/base/logger.ts'
import { authority, startIssuer, type Issuer } from './issuer.ts'
import { run, startSecureServer, type SecureServer } from './secure-server.ts'

let company: Issuer
let partner: Issuer
let server: SecureServer
let config: string
const undo = new AsyncDisposableStack()
const lines: string[] = []
const logger = jsonLogger({ clock: systemClock, sink: (line) => void lines.push(line), level: 'debug' })

const indented = (pem: string) => pem.trim().replaceAll('\n', '\n        ')
const document = (more = '') => `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
anonymous:
  enabled: true
  conditions: [{ path: /livez }, { path: /readyz }]
jwt:
  - issuer:
      url: ${company.url}
      audiences: [flotilla, other]
      audienceMatchPolicy: MatchAny
      certificateAuthority: |
        ${indented(company.caPem)}
    claimMappings:
      username: { claim: sub, prefix: "company:" }
      groups: { claim: groups, prefix: "company:" }
      uid: { claim: oid }
      extra:
        - { key: example.com/tenant, valueExpression: claims.tenant }
    claimValidationRules:
      - { claim: hd, requiredValue: example.com }
  - issuer:
      url: ${partner.url}
      audiences: [flotilla]
      certificateAuthority: |
        ${indented(partner.caPem)}
    claimMappings:
      username: { expression: "claims.email" }
      groups: { expression: "claims.roles.split(',').map(r, 'partner-' + r)" }
    claimValidationRules:
      - { expression: "claims.email_verified == true", message: the address was not verified }
    userValidationRules:
      - { expression: "!user.username.startsWith('system:')", message: reserved }
${more}`

beforeAll(async () => {
  company = undo.use(await startIssuer())
  partner = undo.use(await startIssuer('/realms/partner'))
  const dir = await mkdtemp(join(tmpdir(), 'flotilla-issuers-'))
  undo.defer(() => rm(dir, { recursive: true, force: true }))
  config = join(dir, 'authentication.yaml')
  await writeFile(config, document())
  server = undo.use(await startSecureServer({ access: { authenticationFile: config }, logger }))
  await server.admin.create(clusterRole, {
    metadata: { name: 'nodes-reader' },
    rules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['nodes'] }],
  })
  await server.admin.create(clusterRoleBinding, {
    metadata: { name: 'nodes-readers' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'nodes-reader' },
    subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'company:operators' }],
  })
})
afterAll(() => undo.disposeAsync())

const kubectl = (token: string, ...args: string[]) => {
  const flags = [
    '--kubeconfig',
    '/dev/null',
    '--server',
    server.url,
    '--certificate-authority',
    join(server.dir, 'ca.crt'),
    '--token',
    token,
  ]
  return run('kubectl', [...flags, ...args], { env: { HOME: server.dir } })
}
const curl = async (path: string, token?: string) => {
  const args = ['-sS', '--cacert', join(server.dir, 'ca.crt'), '--noproxy', '*', '-o', '/dev/null', '-w', '%{http_code}']
  return (await run('curl', [...args, ...(token ? ['-H', `Authorization: Bearer ${token}`] : []), `${server.url}${path}`])).out
}
const who = async (token: string) => {
  const { out, err } = await kubectl(token, 'auth', 'whoami', '-o', 'json')
  if (!out) return err.trim()
  return (JSON.parse(out) as { status: { userInfo: unknown } }).status.userInfo
}
const employee = { sub: 'jane', groups: ['operators', 'staff'], oid: '7', tenant: ['blue'], hd: 'example.com' }
const REFUSED = /Unauthorized|must be logged in/

describe('tokens of issuers', () => {
  it('say who it is by claims with prefixes, and kubectl may do what RBAC gives those groups', async () => {
    const token = await company.token(employee)
    expect(await who(token)).toEqual({
      username: 'company:jane',
      uid: '7',
      groups: ['company:operators', 'company:staff', 'system:authenticated'],
      extra: { 'example.com/tenant': ['blue'] },
    })
    expect((await kubectl(token, 'get', 'nodes')).err).toContain('No resources found')
    expect((await kubectl(token, 'get', 'secrets')).err).toContain('User "company:jane" cannot list resource "secrets"')
    expect((await kubectl(token, 'auth', 'can-i', 'list', 'nodes')).out.trim()).toBe('yes')
  })

  it('say who it is by expressions, as the rules allow', async () => {
    const claims = { sub: 'x', email: 'joe@partner.example', email_verified: true, roles: 'dev,ops' }
    expect(await who(await partner.token(claims))).toEqual({
      username: 'joe@partner.example',
      groups: ['partner-dev', 'partner-ops', 'system:authenticated'],
    })
    expect(await who(await partner.token({ ...claims, email_verified: false }))).toMatch(REFUSED)
    expect(await who(await partner.token({ ...claims, email: 'system:admin' }))).toMatch(REFUSED)
    expect(lines.join('')).toContain('the address was not verified')
  })

  it('are refused for another audience, without what is required, after their end, and of another issuer that says the same name', async () => {
    expect(await curl('/api', await company.token({ ...employee, aud: ['other', 'x'] }))).toBe('200')
    expect(await curl('/api', await company.token({ ...employee, aud: 'elsewhere' }))).toBe('401')
    expect(await curl('/api', await company.token({ ...employee, hd: 'example.org' }))).toBe('401')
    expect(await curl('/api', await company.token({ ...employee, exp: Math.floor(Date.now() / 1000) - 1 }))).toBe('401')
    expect(await curl('/api', await partner.token({ ...employee, iss: company.url }))).toBe('401')
    const stranger = await startIssuer()
    await using _end = stranger
    expect(await curl('/api', await stranger.token(employee))).toBe('401')
  })

  it('of an issuer that is away are refused, and of others not; who is named while the server runs is believed once it is there', async () => {
    await using away = await startIssuer()
    const token = await away.token({ sub: 'late' })
    await away.goAway()
    await writeFile(
      config,
      document(`  - issuer: { url: "${away.url}", audiences: [flotilla], certificateAuthority: ${JSON.stringify(away.caPem)} }
    claimMappings: { username: { claim: sub, prefix: "" } }`),
    )
    const failed = () => lines.some((line) => line.includes('could not be fetched') && line.includes(away.url))
    await expect.poll(failed, { timeout: 60_000 }).toBe(true)
    expect(await curl('/api', token)).toBe('401')
    expect(await curl('/api', await company.token(employee))).toBe('200')
    await away.comeBack()
    await expect.poll(() => curl('/api', token), { timeout: 120_000, interval: 500 }).toBe('200')
  })

  it('never get into the log', async () => {
    const token = await company.token({ ...employee, hd: 'wrong' })
    expect(await curl('/api', token)).toBe('401')
    const text = lines.join('')
    expect(text).toContain('required claim hd does not have the required value')
    expect(text).not.toContain(token.split('.')[2])
    expect(text).not.toContain(token.split('.')[1])
  })

  it('go on to be believed when the file becomes unusable', async () => {
    await writeFile(
      config,
      'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt: [{ issuer: { url: "http://x" } }]\n',
    )
    await expect.poll(() => lines.some((line) => line.includes('is not taken over')), { timeout: 60_000 }).toBe(true)
    expect(await curl('/api', await company.token(employee))).toBe('200')
    expect(lines.join('')).toContain('URL scheme must be https')
  })
})

it('who shows nothing may come only to the paths that are open to everyone', async () => {
  expect(await curl('/livez')).toBe('200')
  expect(await curl('/readyz')).toBe('200')
  expect(await curl('/version')).toBe('401')
  expect(await curl('/api/v1/nodes')).toBe('401')
})

describe('one issuer by flags', () => {
  it('is called as its URL before each name, unless the prefix is said', async () => {
    const oidc = { issuerUrl: company.url, clientId: 'flotilla', caFile: company.caFile, signingAlgorithms: ['ES256'] }
    const name = async (more: object, claims: object) => {
      await using own = await startSecureServer({ access: { oidc: { ...oidc, ...more } } })
      const flags = ['--kubeconfig', '/dev/null', '--server', own.url, '--certificate-authority', join(own.dir, 'ca.crt')]
      const { out, err } = await run('kubectl', [
        ...flags,
        '--token',
        await company.token({ ...employee, ...claims }),
        'auth',
        'whoami',
        '-o',
        'json',
      ])
      return out ? (JSON.parse(out) as { status: { userInfo: { username: string } } }).status.userInfo.username : err
    }
    expect(await name({}, {})).toBe(`${company.url}#jane`)
    expect(await name({ usernameClaim: 'email' }, { email: 'a@b.c' })).toBe('a@b.c')
    expect(await name({ usernameClaim: 'email' }, { email: 'a@b.c', email_verified: false })).toMatch(REFUSED)
    expect(await name({ usernamePrefix: '-', requiredClaims: { hd: 'example.com' } }, {})).toBe('jane')
    expect(await name({ signingAlgorithms: ['RS256'] }, {})).toMatch(REFUSED)
  })

  it('that cannot be one is refused by name at the start', async () => {
    const start = (access: object) => startSecureServer({ access })
    await expect(start({ oidc: { issuerUrl: 'http://x', clientId: 'a' } })).rejects.toThrow(/URL scheme must be https/)
    await expect(start({ oidc: { issuerUrl: company.url, clientId: 'a', signingAlgorithms: ['none'] } })).rejects.toThrow(/It names none/)
    await expect(start({ oidc: { issuerUrl: company.url, clientId: 'a' }, authenticationFile: config })).rejects.toThrow(/two places/)
    await expect(start({ authenticationFile: `${config}.missing` })).rejects.toThrow(/cannot be used/)
    const empty = new AsyncDisposableStack()
    const { dir } = await authority(empty)
    await writeFile(join(dir, 'a.yaml'), 'kind: AuthenticationConfiguration\napiVersion: v9\n')
    await expect(start({ authenticationFile: join(dir, 'a.yaml') })).rejects.toThrow(/apiVersion: Unsupported value: "v9"/)
    await empty.disposeAsync()
  })
})
