import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../../base/fake-clock.ts'
import { silentLogger } from '../../../base/logger.ts'
import { authenticationConfiguration, type AuthenticationConfiguration } from '../config/authentication-configuration.ts'
import { oidcTokens, type OidcTokens } from './oidc-tokens.ts'
import { userOfClaims } from './user-of-claims.ts'

const URL = 'https://issuer.example'
const OWN = 'https://kubernetes.default.svc'
const configured = (jwt: object[], more: object = {}) =>
  authenticationConfiguration({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthenticationConfiguration', jwt, ...more }, OWN)
const issuer = { url: URL, audiences: ['flotilla'] }
const valid = (mappings: object = { username: { claim: 'sub', prefix: '' } }, more: object = {}): AuthenticationConfiguration => {
  const { configuration, errors } = configured([{ issuer, claimMappings: mappings, ...more }])
  expect(errors).toEqual([])
  return configuration
}
const errorsOf = (jwt: object[], more: object = {}) => configured(jwt, more).errors.map(({ field, message }) => `${field}: ${message}`)

describe('tokens', () => {
  let first: { publicKey: CryptoKey; privateKey: CryptoKey }
  let second: typeof first
  beforeAll(async () => {
    first = await generateKeyPair('ES256')
    second = await generateKeyPair('ES256')
  })
  let clock: FakeClock
  let published: (typeof first)[]
  let asked: string[]
  let isAway: boolean
  let tokens: OidcTokens
  beforeEach(() => {
    clock = new FakeClock(Date.parse('2026-01-01T00:00:00Z'))
    published = [first]
    asked = []
    isAway = false
    tokens = oidcTokens({
      configs: valid().jwt,
      own: [OWN],
      clock,
      logger: silentLogger,
      getJson: async (url) => {
        asked.push(url)
        if (isAway) throw new Error('connection refused')
        if (url.endsWith('/keys')) return { keys: await Promise.all(published.map(jwk)) }
        return { issuer: URL, jwks_uri: `${URL}/keys` }
      },
    })
  })
  const kid = (pair: typeof first) => (pair === first ? 'first' : 'second')
  const jwk = async (pair: typeof first) => ({ ...(await exportJWK(pair.publicKey)), kid: kid(pair), alg: 'ES256' })
  const token = (pair: typeof first, claims: JWTPayload = {}, header: object = { kid: kid(pair) }) => {
    const now = Math.floor(clock.now() / 1000)
    const payload = { iss: URL, aud: 'flotilla', sub: 'jane', exp: now + 3600, ...claims }
    return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', ...header }).sign(pair.privateKey)
  }
  const nameOf = async (text: string) => (await tokens.authenticate(text, [OWN]))?.user.name

  it('are checked with the keys that the issuer published, which are asked for once', async () => {
    expect(await nameOf(await token(first))).toBe('jane')
    expect(await nameOf(await token(first))).toBe('jane')
    expect(asked).toEqual([`${URL}/.well-known/openid-configuration`, `${URL}/keys`])
  })

  it('of a new key make the server ask again, but those with made-up keys not each time', async () => {
    await nameOf(await token(first))
    published = [second]
    const old = asked.length
    await expect(nameOf(await token(second))).rejects.toThrow(/no applicable key/)
    expect(asked.length).toBe(old)
    clock.jump(10_000)
    expect(await nameOf(await token(second))).toBe('jane')
    expect(asked.length).toBe(old + 1)
    for (let i = 0; i < 5; i++) await expect(nameOf(await token(first, {}, { kid: `made-up-${i}` }))).rejects.toThrow(/no applicable key/)
    expect(asked.length).toBe(old + 1)
  })

  it('do not say which key: any of the issuer holds', async () => {
    published = [second, first]
    expect(await nameOf(await token(first, {}, {}))).toBe('jane')
    await expect(nameOf(await token(await generateKeyPair('ES256'), {}, {}))).rejects.toThrow(/signature/)
  })

  it('of a key that was withdrawn end to hold', async () => {
    await nameOf(await token(first))
    published = [second]
    clock.jump(10 * 60_000 + 1)
    await nameOf(await token(first)).catch(() => undefined)
    await expect
      .poll(async () => nameOf(await token(first)).then(String, (error: unknown) => (error as Error).message))
      .toMatch(/no applicable key/)
  })

  it('of an issuer that is away fail at once between attempts, which get rarer', async () => {
    isAway = true
    const failing = oidcAway()
    await expect(failing.nameOf()).rejects.toThrow(/the keys of the issuer https:\/\/issuer.example are not known: connection refused/)
    const count = () => failing.asked()
    const begun = count()
    await expect(failing.nameOf()).rejects.toThrow(/not known/)
    expect(count()).toBe(begun)
    clock.jump(1001)
    await expect(failing.nameOf()).rejects.toThrow(/not known/)
    expect(count()).toBe(begun + 1)
    clock.jump(1001)
    await expect(failing.nameOf()).rejects.toThrow(/not known/)
    expect(count()).toBe(begun + 1)
    clock.jump(1000)
    failing.comesBack()
    expect(await failing.nameOf()).toBe('jane')
  })
  const oidcAway = () => {
    let away = true
    let requests = 0
    const own = oidcTokens({
      configs: valid().jwt,
      own: [OWN],
      clock,
      logger: silentLogger,
      getJson: async (url) => {
        requests++
        if (away) throw new Error('connection refused')
        return url.endsWith('/keys') ? { keys: [await jwk(first)] } : { issuer: URL, jwks_uri: `${URL}/keys` }
      },
    })
    return {
      asked: () => requests,
      comesBack: () => (away = false),
      nameOf: async () => (await own.authenticate(await token(first), [OWN]))?.user.name,
    }
  }

  it('end in time, whatever the clocks; one may begin a little later than here', async () => {
    const now = Math.floor(clock.now() / 1000)
    await expect(nameOf(await token(first, { exp: now }))).rejects.toThrow(/expired/)
    await expect(nameOf(await token(first, { exp: undefined }))).rejects.toThrow(/exp/)
    expect(await nameOf(await token(first, { nbf: now + 299 }))).toBe('jane')
    await expect(nameOf(await token(first, { nbf: now + 400 }))).rejects.toThrow(/nbf/)
  })

  it('that are no JWT, or of nobody who is known, are left to others', async () => {
    for (const text of ['x', 'a.b.c', await token(first, { iss: 'https://else.example' })])
      expect(await tokens.authenticate(text, [OWN])).toBeNull()
    expect(await tokens.authenticate(await token(first), ['https://else.example'])).toBeNull()
  })

  it('without a signature, or signed with what is published as if it were secret, are refused', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = part({ iss: URL, aud: 'flotilla', sub: 'root', exp: Math.floor(clock.now() / 1000) + 60 })
    await expect(nameOf(`${part({ alg: 'none' })}.${claims}.AA`)).rejects.toThrow(/oidc: verify token/)
    await expect(nameOf(`${part({ alg: 'HS256', kid: 'first' })}.${claims}.AA`)).rejects.toThrow(/oidc: verify token/)
  })
})

describe('claims', () => {
  const user = (mappings: object, claims: Record<string, unknown>, more: object = {}) =>
    userOfClaims(valid(mappings, more).jwt[0] as never, claims)

  it('name the user and groups, with what is put before them', () => {
    const mappings = { username: { claim: 'sub', prefix: 'i:' }, groups: { claim: 'groups', prefix: 'g:' } }
    expect(user(mappings, { sub: 'a', groups: ['x', 'y'] })).toEqual({ name: 'i:a', groups: ['g:x', 'g:y'] })
    expect(user(mappings, { sub: 'a', groups: 'x' })).toEqual({ name: 'i:a', groups: ['g:x'] })
    expect(user(mappings, { sub: 'a' })).toEqual({ name: 'i:a', groups: [] })
    expect(() => user(mappings, {})).toThrow(/claim not present/)
    expect(() => user(mappings, { sub: 7 })).toThrow(/no string/)
    expect(() => user(mappings, { sub: 'a', groups: [7] })).toThrow(/no string/)
  })

  it('of an address that nobody has proved to have name nobody', () => {
    const mappings = { username: { claim: 'email', prefix: '' } }
    expect(user(mappings, { email: 'a@b' }).name).toBe('a@b')
    expect(user(mappings, { email: 'a@b', email_verified: true }).name).toBe('a@b')
    for (const verified of [false, 'true', null])
      expect(() => user(mappings, { email: 'a@b', email_verified: verified })).toThrow(/not verified/)
  })

  it('are read by expressions: texts, lists of texts, and nothing', () => {
    const mappings = {
      username: { expression: "claims.first + '.' + claims.last" },
      groups: { expression: 'claims.?groups.orValue([])' },
      uid: { expression: 'claims.id' },
      extra: [
        { key: 'example.com/one', valueExpression: "claims.?one.orValue('')" },
        { key: 'example.com/many', valueExpression: "['a', '', 'b']" },
      ],
    }
    expect(user(mappings, { first: 'a', last: 'b', id: 'u' })).toEqual({
      name: 'a.b',
      groups: [],
      uid: 'u',
      extra: { 'example.com/many': ['a', 'b'] },
    })
    expect(() => user(mappings, { first: '', last: 'b' })).toThrow(/no such key: id/)
    expect(() => user(mappings, { first: 'a', last: 'b', id: 7 })).toThrow(/must return a string/)
    expect(() => user(mappings, { first: 'a', last: 'b', id: 'u', groups: [1] })).toThrow(/no string/)
    expect(() => user({ username: { expression: 'claims.name' } }, { name: '' })).toThrow(/empty username/)
  })

  it('and the user made of them must satisfy the rules', () => {
    const rules = {
      claimValidationRules: [
        { claim: 'hd', requiredValue: 'x' },
        { expression: 'claims.exp - claims.nbf <= 86400', message: 'too long' },
      ],
      userValidationRules: [{ expression: "user.groups.all(g, !g.startsWith('system:'))", message: 'reserved' }],
    }
    const mappings = { username: { claim: 'sub', prefix: '' }, groups: { claim: 'groups', prefix: '' } }
    const claims = { sub: 'a', hd: 'x', exp: 100, nbf: 0, groups: ['g'] }
    expect(user(mappings, claims, rules).groups).toEqual(['g'])
    expect(() => user(mappings, { ...claims, hd: 'y' }, rules)).toThrow(/required claim hd/)
    expect(() => user(mappings, { ...claims, exp: 1e6 }, rules)).toThrow(/too long/)
    expect(() => user(mappings, { ...claims, groups: ['system:masters'] }, rules)).toThrow(/reserved/)
  })
})

describe('a configuration', () => {
  const mapped = { claimMappings: { username: { claim: 'sub', prefix: '' } } }
  it.each<[string, object, string | RegExp]>([
    ['a URL without TLS', { issuer: { ...issuer, url: 'http://a' }, ...mapped }, /issuer.url: .*scheme must be https/],
    ['a URL with a query', { issuer: { ...issuer, url: 'https://a?b' }, ...mapped }, /must not contain a query/],
    ['a URL with a password', { issuer: { ...issuer, url: 'https://a:b@c' }, ...mapped }, /must not contain a username or password/],
    ["the server's own issuer", { issuer: { ...issuer, url: OWN }, ...mapped }, /disallowed issuers/],
    ['no audience', { issuer: { url: URL, audiences: [] }, ...mapped }, /audiences: Required value/],
    ['several audiences without a policy', { issuer: { url: URL, audiences: ['a', 'b'] }, ...mapped }, /must be set to MatchAny/],
    ['an authority that is none', { issuer: { ...issuer, certificateAuthority: 'x' }, ...mapped }, /unable to parse bytes as PEM block/],
    [
      'the same place for discovery',
      { issuer: { ...issuer, discoveryURL: `${URL}/` }, ...mapped },
      /discoveryURL must be different from URL/,
    ],
    ['no name', { issuer, claimMappings: {} }, 'jwt[0].claimMappings.username: Required value: claim or expression is required'],
    ['a claim without a prefix', { issuer, claimMappings: { username: { claim: 'sub' } } }, /prefix is required when claim is set/],
    [
      'a name twice',
      { issuer, claimMappings: { username: { claim: 'sub', prefix: '', expression: 'claims.sub' } } },
      /cannot be set with expression/,
    ],
    ['an expression that does not compile', { issuer, claimMappings: { username: { expression: 'claims.' } } }, /compilation failed/],
    ['an expression of another type', { issuer, claimMappings: { username: { expression: '1' } } }, /must evaluate to string/],
    [
      'an address that may not be verified',
      { issuer, claimMappings: { username: { expression: "claims['email']" } } },
      /email_verified must be used/,
    ],
    [
      'a reserved key',
      { issuer, claimMappings: { ...mapped.claimMappings, extra: [{ key: 'a.k8s.io/x', valueExpression: "''" }] } },
      /reserved/,
    ],
    [
      'a field that there is not',
      { issuer, ...mapped, claimMapping: {} },
      'jwt[0].claimMapping: Invalid value: "claimMapping": unknown field',
    ],
  ])('with %s is refused', (_what, jwt, message) => {
    expect(errorsOf([jwt])).toEqual([typeof message === 'string' ? message : expect.stringMatching(message)])
  })

  it('names an issuer once, and knows its own version only', () => {
    expect(
      errorsOf([
        { issuer, ...mapped },
        { issuer, ...mapped },
      ]),
    ).toEqual(['jwt[1].issuer.url: Duplicate value: "https://issuer.example"'])
    expect(errorsOf([], { apiVersion: 'v1' })[0]).toMatch(/apiVersion: Unsupported value/)
    expect(errorsOf([], { anonymous: { enabled: false, conditions: [{ path: '/a' }] } })).toEqual([
      expect.stringMatching(/should be set to true/),
    ])
  })
})
