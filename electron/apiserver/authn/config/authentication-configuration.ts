/**
 * AuthenticationConfiguration (apiserver.config.k8s.io/v1): issuers of tokens, and who may come without a name. Read strictly, with
 * its expressions compiled. Source: apiserver `apis/apiserver/validation`, KEP-3331, KEP-4633.
 */
import { X509Certificate } from 'node:crypto'
import { duplicate, forbidden, invalid, notSupported, required, type FieldError } from '../../../api/values/field-error.ts'
import type { Program } from '../../../machinery/cel/program.ts'
import { claimLanguage, usesClaim, type ClaimLanguage } from '../oidc/claim-expressions.ts'
import { Fields } from './fields.ts'

export interface AuthenticationConfiguration {
  readonly jwt: readonly JwtConfig[]
  /** Absent: whoever shows nothing is system:anonymous, everywhere. */
  readonly anonymous?: AnonymousConfig
}

export interface AnonymousConfig {
  readonly enabled: boolean
  /** Paths at which it holds; empty: everywhere. */
  readonly paths: readonly string[]
}

export interface JwtConfig {
  readonly url: string
  /** Where the discovery document is, if not below `url`. */
  readonly discoveryUrl?: string
  /** PEM; absent: the system's authorities count. */
  readonly certificateAuthority?: string
  readonly audiences: readonly string[]
  readonly algorithms: readonly string[]
  readonly username: TextSource
  readonly groups?: TextSource
  readonly uid?: TextSource
  readonly extra: readonly { readonly key: string; readonly value: Program }[]
  readonly claimRules: readonly ClaimRule[]
  readonly userRules: readonly Rule[]
}

/** A claim with what is put before its value, or an expression over all claims. */
export type TextSource =
  | { readonly claim: string; readonly prefix: string; readonly expression?: undefined }
  | { readonly expression: Program; readonly claim?: undefined }

export interface Rule {
  readonly expression: Program
  readonly message: string
}

export type ClaimRule = Rule | { readonly claim: string; readonly requiredValue: string; readonly expression?: undefined }

/** What a plain set of flags can say, in the same terms. */
export const SIGNING_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'] as const

const API_VERSIONS = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `apiserver.config.k8s.io/${version}`)
const MAX_ISSUERS = 64
const TOP = ['apiVersion', 'kind', 'jwt', 'anonymous']
const JWT = ['issuer', 'claimValidationRules', 'claimMappings', 'userValidationRules']
const ISSUER = ['url', 'discoveryURL', 'certificateAuthority', 'audiences', 'audienceMatchPolicy', 'egressSelectorType']
const SOURCE = ['claim', 'prefix', 'expression']
const EXTRA_KEY = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[a-z0-9\-._~!$&'()*+,;=:@/%]+$/

/**
 * `document`: as YAML or JSON was read. `ownIssuer` signs service accounts' tokens and can be nobody else. The configuration is only of
 * use if there are no errors.
 */
export function authenticationConfiguration(
  document: unknown,
  ownIssuer: string,
): { configuration: AuthenticationConfiguration; errors: readonly FieldError[] } {
  const errors: FieldError[] = []
  const top = new Fields(document, '', errors, TOP)
  checkVersion(top, 'AuthenticationConfiguration')
  const issuers = top.parts('jwt', JWT)
  if (issuers.length > MAX_ISSUERS) errors.push(invalid('jwt', issuers.length, `must have at most ${MAX_ISSUERS} items`))
  const language = claimLanguage()
  const jwt = issuers.map((one) => jwtOf(one, language, ownIssuer))
  for (const [what, of] of [
    ['url', (one: JwtConfig) => one.url],
    ['discoveryURL', (one: JwtConfig) => one.discoveryUrl ?? ''],
  ] as const)
    jwt.forEach((one, i) => {
      if (of(one) && jwt.findIndex((other) => of(other) === of(one)) < i) errors.push(duplicate(`jwt[${i}].issuer.${what}`, of(one)))
    })
  const anonymous = top.has('anonymous') ? anonymousOf(top.part('anonymous', ['enabled', 'conditions'])) : undefined
  return { configuration: { jwt, ...(anonymous ? { anonymous } : {}) }, errors }
}

export function checkVersion(top: Fields, kind: string): void {
  const apiVersion = top.needText('apiVersion')
  if (apiVersion && !API_VERSIONS.includes(apiVersion)) top.errors.push(notSupported('apiVersion', apiVersion, API_VERSIONS))
  const given = top.needText('kind')
  if (given && given !== kind) top.errors.push(notSupported('kind', given, [kind]))
}

function anonymousOf(fields: Fields): AnonymousConfig {
  const enabled = fields.flag('enabled') ?? false
  const paths = fields.parts('conditions', ['path']).map((one) => one.needText('path'))
  if (!enabled && paths.length > 0)
    fields.errors.push(invalid(fields.path('conditions'), paths, 'enabled should be set to true when conditions are defined'))
  return { enabled, paths }
}

function jwtOf(fields: Fields, language: ClaimLanguage, ownIssuer: string): JwtConfig {
  const issuer = issuerOf(fields.part('issuer', ISSUER), ownIssuer)
  const mappings = fields.part('claimMappings', ['username', 'groups', 'uid', 'extra'])
  const [username, groups, uid] = [
    sourceOf(mappings.part('username', SOURCE), language, 'text'),
    mappings.has('groups') ? sourceOf(mappings.part('groups', SOURCE), language, 'texts') : undefined,
    mappings.has('uid') ? plainSourceOf(mappings.part('uid', ['claim', 'expression']), language) : undefined,
  ]
  const extra = mappings.parts('extra', ['key', 'valueExpression']).map((one) => ({ key: extraKey(one), value: one }))
  extra.forEach(({ key, value }, i) => {
    if (key && extra.findIndex((other) => other.key === key) < i) value.errors.push(duplicate(value.path('key'), key))
  })
  const extraValues = extra.flatMap(({ key, value }) => {
    const program = programOf(value, 'valueExpression', language, 'claims', 'texts')
    return program ? [{ key, value: program }] : []
  })
  const claimRules = fields
    .parts('claimValidationRules', ['claim', 'requiredValue', 'expression', 'message'])
    .flatMap((one) => claimRuleOf(one, language))
  const userRules = fields.parts('userValidationRules', ['expression', 'message']).flatMap((one) => {
    const expression = programOf(one, 'expression', language, 'user', 'condition')
    return expression ? [{ expression, message: one.text('message') }] : []
  })
  if (username?.expression && usesClaim(username.expression.expr, 'email')) {
    const others = [
      username.expression,
      ...extraValues.map(({ value }) => value),
      ...claimRules.flatMap(({ expression }) => expression ?? []),
    ]
    if (!others.some(({ expr }) => usesClaim(expr, 'email_verified')))
      mappings.errors.push(
        invalid(
          mappings.path('username.expression'),
          username.expression.source,
          'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression',
        ),
      )
  }
  return {
    ...issuer,
    algorithms: SIGNING_ALGORITHMS,
    username: username ?? { claim: '', prefix: '' },
    ...(groups ? { groups } : {}),
    ...(uid ? { uid } : {}),
    extra: extraValues,
    claimRules,
    userRules,
  }
}

function issuerOf(fields: Fields, ownIssuer: string): Pick<JwtConfig, 'url' | 'discoveryUrl' | 'certificateAuthority' | 'audiences'> {
  const { errors } = fields
  const url = fields.needText('url')
  if (url) checkUrl(url, fields.path('url'), errors)
  if (url && url === ownIssuer)
    errors.push(invalid(fields.path('url'), url, `URL must not overlap with disallowed issuers: [${ownIssuer}]`))
  const discoveryUrl = fields.text('discoveryURL')
  if (discoveryUrl) checkUrl(discoveryUrl, fields.path('discoveryURL'), errors)
  if (discoveryUrl && discoveryUrl.replace(/\/+$/, '') === url.replace(/\/+$/, ''))
    errors.push(invalid(fields.path('discoveryURL'), discoveryUrl, 'discoveryURL must be different from URL'))
  const certificateAuthority = fields.text('certificateAuthority')
  if (certificateAuthority && !isPem(certificateAuthority))
    errors.push(invalid(fields.path('certificateAuthority'), '<omitted>', 'unable to parse bytes as PEM block'))
  const audiences = fields.texts('audiences')
  if (audiences.length === 0) errors.push(required(fields.path('audiences'), 'at least one jwt[*].issuer.audiences is required'))
  audiences.forEach((one, i) => {
    if (!one) errors.push(required(`${fields.path('audiences')}[${i}]`))
    else if (audiences.indexOf(one) < i) errors.push(duplicate(`${fields.path('audiences')}[${i}]`, one))
  })
  const policy = fields.text('audienceMatchPolicy')
  if (audiences.length > 1 && policy !== 'MatchAny')
    errors.push(invalid(fields.path('audienceMatchPolicy'), policy, 'audienceMatchPolicy must be set to MatchAny for multiple audiences'))
  else if (policy && policy !== 'MatchAny')
    errors.push(invalid(fields.path('audienceMatchPolicy'), policy, 'audienceMatchPolicy must be empty or MatchAny for single audience'))
  if (fields.text('egressSelectorType')) errors.push(forbidden(fields.path('egressSelectorType'), 'this server has no egress selectors'))
  return { url, ...(discoveryUrl ? { discoveryUrl } : {}), ...(certificateAuthority ? { certificateAuthority } : {}), audiences }
}

/** As issuers must be written. */
export function checkUrl(text: string, field: string, errors: FieldError[]): void {
  if (!URL.canParse(text)) return void errors.push(invalid(field, text, 'must be a valid URL'))
  const url = new URL(text)
  if (url.protocol !== 'https:') errors.push(invalid(field, text, 'URL scheme must be https'))
  if (url.username || url.password) errors.push(invalid(field, '<omitted>', 'URL must not contain a username or password'))
  if (url.search) errors.push(invalid(field, text, 'URL must not contain a query'))
  if (url.hash) errors.push(invalid(field, text, 'URL must not contain a fragment'))
}

export function isPem(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0
  } catch {
    return false
  }
}

function sourceOf(fields: Fields, language: ClaimLanguage, wanted: 'text' | 'texts'): TextSource | undefined {
  const { errors } = fields
  const claim = fields.text('claim')
  if (fields.has('expression')) {
    if (claim || fields.has('prefix')) {
      errors.push(invalid(fields.at, '', 'prefix and claim cannot be set with expression'))
      return undefined
    }
    const expression = programOf(fields, 'expression', language, 'claims', wanted)
    return expression ? { expression } : undefined
  }
  if (!claim) errors.push(required(fields.at, 'claim or expression is required'))
  else if (!fields.has('prefix'))
    errors.push(
      required(fields.path('prefix'), 'prefix is required when claim is set. It can be set to an empty string to disable prefixing'),
    )
  return { claim, prefix: fields.text('prefix') }
}

/** Nothing is put before a uid. */
function plainSourceOf(fields: Fields, language: ClaimLanguage): TextSource | undefined {
  const claim = fields.text('claim')
  if (!fields.has('expression')) return claim ? { claim, prefix: '' } : undefined
  if (claim) fields.errors.push(invalid(fields.at, '', 'claim cannot be set with expression'))
  const expression = programOf(fields, 'expression', language, 'claims', 'text')
  return expression ? { expression } : undefined
}

function claimRuleOf(fields: Fields, language: ClaimLanguage): ClaimRule[] {
  const { errors } = fields
  const claim = fields.text('claim')
  if (claim && fields.has('expression')) {
    errors.push(invalid(fields.at, claim, "claim and expression can't both be set"))
    return []
  }
  if (claim) {
    if (fields.has('message'))
      errors.push(invalid(fields.path('message'), fields.text('message'), "message can't be set when claim is set"))
    return [{ claim, requiredValue: fields.text('requiredValue') }]
  }
  if (!fields.has('expression')) {
    errors.push(required(fields.at, 'claim or expression is required'))
    return []
  }
  if (fields.has('requiredValue'))
    errors.push(invalid(fields.path('requiredValue'), fields.text('requiredValue'), "requiredValue can't be set when expression is set"))
  const expression = programOf(fields, 'expression', language, 'claims', 'condition')
  return expression ? [{ expression, message: fields.text('message') }] : []
}

function programOf(
  fields: Fields,
  name: string,
  language: ClaimLanguage,
  over: 'claims' | 'user',
  wanted: 'text' | 'texts' | 'condition',
): Program | null {
  const source = fields.needText(name)
  if (!source) return null
  const { program, error } = language.compile(source, over, wanted)
  if (!program) fields.errors.push(invalid(fields.path(name), source, error))
  return program
}

function extraKey(fields: Fields): string {
  const key = fields.needText('key')
  if (!key) return key
  const domain = key.split('/')[0] ?? ''
  if (!EXTRA_KEY.test(key))
    fields.errors.push(invalid(fields.path('key'), key, 'must be a lower-case domain and a path, such as "example.com/team"'))
  else if (/(^|\.)(kubernetes|k8s)\.io$/.test(domain))
    fields.errors.push(invalid(fields.path('key'), key, 'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use'))
  return key
}
