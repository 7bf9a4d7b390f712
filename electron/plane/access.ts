/** Reads what AccessConfig names, and follows the files while the plane runs: a file that is wrong at the start is refused, later it is not taken over. */
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import {
  authenticationConfiguration,
  isPem,
  SIGNING_ALGORITHMS,
  type AuthenticationConfiguration,
} from '../apiserver/authn/config/authentication-configuration.ts'
import { configuredTokens, type ConfiguredTokens } from '../apiserver/authn/configured-tokens.ts'
import { cachedTokens } from '../apiserver/authn/token-cache.ts'
import type { TokenAuthenticator } from '../apiserver/authn/token-authenticator.ts'
import { webhookTokens } from '../apiserver/authn/webhook-tokens.ts'
import {
  AUTHORIZED_TTL,
  authorizationConfiguration,
  DEFAULT_AUTHORIZERS,
  UNAUTHORIZED_TTL,
  type AuthorizerConfig,
} from '../apiserver/authz/authorization-configuration.ts'
import type { PlacedAuthorizer } from '../apiserver/authz/configured-authorizers.ts'
import { reviewServer } from '../apiserver/webhooks/review-server.ts'
import type { FieldError } from '../api/values/field-error.ts'
import type { Clock } from '../base/clock.ts'
import { FlotillaError, messageOf, systemCode } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Random } from '../base/random.ts'
import { readKubeconfig } from '../client/kubeconfig.ts'
import type { AccessConfig, AuthorizationWebhook, OidcFlags, TokenWebhook } from './access-config.ts'

export interface AccessOptions {
  readonly config: AccessConfig
  /** Files in the state folder, which need not be there. */
  readonly authenticationFile: string
  readonly authorizationFile: string
  /** Of service accounts' tokens; also the audience of this API server. */
  readonly issuer: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface Access {
  readonly tokens: ConfiguredTokens
  /** Tells `configure` the authorizers now, and when their file changes. */
  followAuthorizers(configure: (placed: readonly PlacedAuthorizer[]) => void): void
}

/** How often files are looked at, in milliseconds. */
const LOOK = 2000
/** In milliseconds, as kube-apiserver's flags have them. */
const TOKEN_TTL = 2 * 60_000
const TOKEN_TIMEOUT = 30_000
const WEBHOOK_TIMEOUT = 30_000
const MODES = ['Node', 'RBAC', 'Webhook']

/** Throws FlotillaError `INVALID_INPUT` that names the file or flag. What is opened goes on the stack. */
export async function openAccess(options: AccessOptions, stack: AsyncDisposableStack): Promise<Access> {
  const { config, issuer, clock, logger } = options
  const authentication = await chosen(config.authenticationFile, options.authenticationFile, config.oidc ? '--oidc-issuer-url' : null)
  const byFlags = config.authorizationWebhook
    ? '--authorization-webhook-config-file'
    : config.authorizationModes
      ? '--authorization-mode'
      : null
  const authorization = await chosen(config.authorizationFile, options.authorizationFile, byFlags)
  const webhook = config.tokenWebhook ? await tokenWebhook(config.tokenWebhook, options, stack) : undefined
  const tokens = stack.use(configuredTokens({ own: [issuer], clock, logger, ...(webhook ? { webhook } : {}) }))
  const readIssuers = (file: string, text: string) =>
    checked(file, text, (document) => {
      const { configuration, errors } = authenticationConfiguration(document, issuer)
      return { value: configuration, errors }
    })
  if (config.oidc) tokens.configure(await issuerOfFlags(config.oidc, issuer))
  if (authentication) tokens.configure(readIssuers(authentication.file, authentication.text))
  if (authentication)
    follow({ ...authentication, clock, logger }, stack, async (text) => tokens.configure(readIssuers(authentication.file, text)))

  const readAuthorizers = async (file: string, text: string): Promise<readonly PlacedAuthorizer[]> => {
    const list = checked(file, text, (document) => {
      const { authorizers, errors } = authorizationConfiguration(document)
      return { value: authorizers, errors }
    })
    return Promise.all(list.map(placed))
  }
  const first = authorization
    ? await readAuthorizers(authorization.file, authorization.text)
    : await Promise.all(authorizersOfFlags(config).map(placed))
  return {
    tokens,
    followAuthorizers(configure) {
      configure(first)
      if (authorization)
        follow({ ...authorization, clock, logger }, stack, async (text) => configure(await readAuthorizers(authorization.file, text)))
    },
  }
}

interface Text {
  readonly file: string
  readonly text: string
}

/** The named file, or the one of the state folder; both that and flags would contradict each other. */
async function chosen(named: string | undefined, own: string, flag: string | null): Promise<Text | null> {
  if (named && flag) throw refused(named, `It and ${flag} say the same thing in two places.`, 'Choose one of them.')
  if (named) return { file: named, text: await read(named) }
  const text = await readFile(own, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null
    throw refused(own, `${messageOf(error)}.`, 'Correct the file, or take it away.', error)
  })
  if (text !== null && flag)
    throw refused(own, `It and ${flag} say the same thing in two places.`, 'Take the file away, or leave the flag out.')
  return text === null ? null : { file: own, text }
}

/** A file that cannot be used any more changes nothing: what it said last goes on to hold. */
function follow(
  { file, text, clock, logger }: Text & { readonly clock: Clock; readonly logger: Logger },
  stack: AsyncDisposableStack,
  use: (text: string) => Promise<void>,
): void {
  let seen = text
  let looking = false
  const look = async () => {
    if (looking) return
    looking = true
    try {
      const now = await read(file)
      if (now === seen) return
      seen = now
      await use(now)
      logger.info('a configuration of access was taken over', { file })
    } catch (error) {
      logger.error('a configuration of access is not taken over: the one before goes on to hold', { file, why: messageOf(error) })
    } finally {
      looking = false
    }
  }
  stack.use(clock.setInterval(() => void look(), LOOK, { unref: true }))
}

function checked<T>(file: string, text: string, read: (document: unknown) => { value: T; errors: readonly FieldError[] }): T {
  let document: unknown
  try {
    document = parse(text)
  } catch (error) {
    throw refused(file, `It is not YAML: ${messageOf(error)}`, 'Correct the file.', error)
  }
  const { value, errors } = read(document)
  if (errors.length === 0) return value
  throw refused(file, `${errors.map(({ field, message }) => `${field}: ${message}`).join('; ')}.`, 'Correct the file.')
}

/** One issuer, as the flags have it; what they leave out is as kube-apiserver has it. */
async function issuerOfFlags(flags: OidcFlags, ownIssuer: string): Promise<AuthenticationConfiguration> {
  const { issuerUrl, clientId, usernameClaim = 'sub', usernamePrefix, groupsClaim, groupsPrefix = '', requiredClaims = {} } = flags
  const algorithms = flags.signingAlgorithms ?? ['RS256']
  const odd = algorithms.find((one) => !SIGNING_ALGORITHMS.some((known) => known === one))
  if (odd !== undefined) throw refused('--oidc-signing-algs', `It names ${odd}.`, `Choose from ${SIGNING_ALGORITHMS.join(', ')}.`)
  const certificateAuthority = flags.caFile ? await read(flags.caFile) : undefined
  if (flags.caFile && !isPem(certificateAuthority ?? ''))
    throw refused(flags.caFile, 'It holds no certificate in PEM.', 'Name the CA’s certificate.')
  // Names of users of an issuer must not pass for those of certificates; addresses cannot.
  const byDefault = usernameClaim === 'email' ? '' : `${issuerUrl}#`
  const prefix = usernamePrefix === '-' ? '' : usernamePrefix || byDefault
  const document = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AuthenticationConfiguration',
    jwt: [
      {
        issuer: { url: issuerUrl, audiences: [clientId], ...(certificateAuthority ? { certificateAuthority } : {}) },
        claimMappings: {
          username: { claim: usernameClaim, prefix },
          ...(groupsClaim ? { groups: { claim: groupsClaim, prefix: groupsPrefix } } : {}),
        },
        claimValidationRules: Object.entries(requiredClaims).map(([claim, requiredValue]) => ({ claim, requiredValue })),
      },
    ],
  }
  const { configuration, errors } = authenticationConfiguration(document, ownIssuer)
  if (errors.length > 0)
    throw refused(
      '--oidc-issuer-url and its kin',
      `${errors.map(({ field, message }) => `${field}: ${message}`).join('; ')}.`,
      'Correct them.',
    )
  return { ...configuration, jwt: configuration.jwt.map((one) => ({ ...one, algorithms })) }
}

async function tokenWebhook(webhook: TokenWebhook, options: AccessOptions, stack: AsyncDisposableStack): Promise<TokenAuthenticator> {
  const { issuer, clock, random } = options
  const connection = await connectionOf(webhook.kubeconfig)
  const server = stack.use(reviewServer({ connection, timeout: TOKEN_TIMEOUT, clock, random }))
  const ttl = webhook.cacheTtl ?? TOKEN_TTL
  const ask = webhookTokens({ server, version: webhook.version ?? 'v1', own: [issuer] })
  return cachedTokens(ask, { known: ttl, unknown: ttl, clock })
}

function authorizersOfFlags({ authorizationModes, authorizationWebhook }: AccessConfig): readonly AuthorizerConfig[] {
  const flag = '--authorization-mode'
  const modes = authorizationModes ?? [...DEFAULT_AUTHORIZERS.map(({ type }) => type), ...(authorizationWebhook ? ['Webhook'] : [])]
  const odd = modes.find((mode, i) => !MODES.includes(mode) || modes.indexOf(mode) < i)
  if (odd !== undefined) throw refused(flag, `It names ${odd}.`, `Choose each once from ${MODES.join(', ')}.`)
  if (modes.includes('Webhook') !== (authorizationWebhook !== undefined))
    throw refused(flag, 'The mode Webhook and --authorization-webhook-config-file go together.', 'Give both, or none.')
  return modes.map((mode) =>
    mode === 'Webhook' && authorizationWebhook ? webhookOfFlags(authorizationWebhook) : { type: mode as 'Node' | 'RBAC' },
  )
}

function webhookOfFlags({ kubeconfig, authorizedTtl, unauthorizedTtl, version }: AuthorizationWebhook): AuthorizerConfig {
  return {
    type: 'Webhook',
    name: 'default',
    authorizedTtl: authorizedTtl ?? AUTHORIZED_TTL,
    unauthorizedTtl: unauthorizedTtl ?? UNAUTHORIZED_TTL,
    timeout: WEBHOOK_TIMEOUT,
    version: version ?? 'v1',
    failurePolicy: 'NoOpinion',
    kubeConfigFile: kubeconfig,
    conditions: [],
  }
}

async function placed(config: AuthorizerConfig): Promise<PlacedAuthorizer> {
  return config.type === 'Webhook' ? { config, connection: await connectionOf(config.kubeConfigFile) } : { config }
}

async function connectionOf(file: string) {
  const connection = await readKubeconfig(file).catch((error: unknown) => {
    if (error instanceof FlotillaError) throw error
    throw refused(file, `${messageOf(error)}.`, 'Name a kubeconfig file that can be read.', error)
  })
  if (URL.canParse(connection.server) && /^https?:$/.test(new URL(connection.server).protocol)) return connection
  throw refused(file, `Its server is ${JSON.stringify(connection.server)}.`, 'Write a URL of https.')
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw refused(file, `${messageOf(error)}.`, 'Name a file that can be read.', error)
  }
}

function refused(what: string, why: string, next: string, cause?: unknown): FlotillaError {
  return new FlotillaError('INVALID_INPUT', { what: `${what} cannot be used.`, why, next, cause })
}
