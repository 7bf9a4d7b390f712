/** Options of `serve` for who someone is and what they may do; called as kube-apiserver calls its own. */
import { resolve } from 'node:path'
import { parseDuration } from '../../api/values/duration.ts'
import type { AccessConfig, AuthorizationWebhook, OidcFlags, TokenWebhook } from '../../plane/access-config.ts'
import { usage, type Args, type OptionSpec } from '../command.ts'

const text = (help: string): OptionSpec => ({ type: 'string', help })

export const ACCESS_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  'authentication-config': text('YAML file with an AuthenticationConfiguration (default: authentication.yaml in the state folder)'),
  'oidc-issuer-url': text('OpenID Connect issuer whose tokens are believed'),
  'oidc-client-id': text('audience that those tokens must be for'),
  'oidc-username-claim': text('claim that is the user’s name (default: sub)'),
  'oidc-username-prefix': text('put before the name; "-" for nothing (default: the issuer’s URL and #, nothing for the claim email)'),
  'oidc-groups-claim': text('claim with the user’s groups'),
  'oidc-groups-prefix': text('put before each group'),
  'oidc-required-claim': { type: 'string', multiple: true, help: 'KEY=VALUE that tokens must have; may be given several times' },
  'oidc-ca-file': text('PEM file of the CA that the issuer’s certificate is checked with (default: the system’s)'),
  'oidc-signing-algs': text('algorithms that tokens may be signed with, separated by commas (default: RS256)'),
  'authentication-token-webhook-config-file': text('kubeconfig of a server that is asked whose a token is'),
  'authentication-token-webhook-cache-ttl': text('how long its answers hold (default: 2m0s)'),
  'authentication-token-webhook-version': text('v1 or v1beta1 of TokenReview (default: v1)'),
  'authorization-config': text('YAML file with an AuthorizationConfiguration (default: authorization.yaml in the state folder)'),
  'authorization-mode': text('whom to ask, in this order: Node, RBAC, Webhook, separated by commas (default: Node,RBAC, then a Webhook)'),
  'authorization-webhook-config-file': text('kubeconfig of a server that is asked whether a request is allowed'),
  'authorization-webhook-cache-authorized-ttl': text('how long its yes holds (default: 5m0s)'),
  'authorization-webhook-cache-unauthorized-ttl': text('how long its no holds (default: 30s)'),
  'authorization-webhook-version': text('v1 or v1beta1 of SubjectAccessReview (default: v1)'),
}

/** Undefined if none of the options is given. Throws USAGE. */
export function accessOf(args: Args): AccessConfig | undefined {
  const authenticationFile = fileOf(args, 'authentication-config')
  const authorizationFile = fileOf(args, 'authorization-config')
  const oidc = oidcOf(args)
  const tokenWebhook = tokenWebhookOf(args)
  const modes = args.text('authorization-mode')
  const authorizationWebhook = authorizationWebhookOf(args)
  const access: AccessConfig = {
    ...(authenticationFile ? { authenticationFile } : {}),
    ...(oidc ? { oidc } : {}),
    ...(tokenWebhook ? { tokenWebhook } : {}),
    ...(authorizationFile ? { authorizationFile } : {}),
    ...(modes === undefined ? {} : { authorizationModes: list(modes) }),
    ...(authorizationWebhook ? { authorizationWebhook } : {}),
  }
  return Object.keys(access).length > 0 ? access : undefined
}

function oidcOf(args: Args): OidcFlags | undefined {
  const [issuerUrl, clientId] = [args.text('oidc-issuer-url'), args.text('oidc-client-id')]
  if (!issuerUrl || !clientId) {
    const given = [...Object.keys(ACCESS_OPTIONS)].find(
      (name) => name.startsWith('oidc-') && (args.text(name) ?? args.list(name)[0]) !== undefined,
    )
    if (given) throw usage('--oidc-issuer-url and --oidc-client-id go together, and other options of --oidc need both.')
    return undefined
  }
  const required = args.list('oidc-required-claim').map((pair) => {
    const at = pair.indexOf('=')
    if (at < 1) throw usage(`--oidc-required-claim takes KEY=VALUE, not "${pair}".`)
    return [pair.slice(0, at), pair.slice(at + 1)] as const
  })
  const caFile = fileOf(args, 'oidc-ca-file')
  const algorithms = args.text('oidc-signing-algs')
  return {
    issuerUrl,
    clientId,
    ...given(args, { usernameClaim: 'oidc-username-claim', usernamePrefix: 'oidc-username-prefix' }),
    ...given(args, { groupsClaim: 'oidc-groups-claim', groupsPrefix: 'oidc-groups-prefix' }),
    requiredClaims: Object.fromEntries(required),
    ...(caFile ? { caFile } : {}),
    ...(algorithms === undefined ? {} : { signingAlgorithms: list(algorithms) }),
  }
}

function tokenWebhookOf(args: Args): TokenWebhook | undefined {
  const kubeconfig = fileOf(args, 'authentication-token-webhook-config-file')
  const cacheTtl = milliseconds(args, 'authentication-token-webhook-cache-ttl')
  const version = args.choice('authentication-token-webhook-version', ['v1', 'v1beta1'])
  if (!kubeconfig) {
    if (cacheTtl !== undefined || version)
      throw usage('--authentication-token-webhook-… go with --authentication-token-webhook-config-file.')
    return undefined
  }
  return { kubeconfig, ...(cacheTtl === undefined ? {} : { cacheTtl }), ...(version ? { version } : {}) }
}

function authorizationWebhookOf(args: Args): AuthorizationWebhook | undefined {
  const kubeconfig = fileOf(args, 'authorization-webhook-config-file')
  const authorizedTtl = milliseconds(args, 'authorization-webhook-cache-authorized-ttl')
  const unauthorizedTtl = milliseconds(args, 'authorization-webhook-cache-unauthorized-ttl')
  const version = args.choice('authorization-webhook-version', ['v1', 'v1beta1'])
  if (!kubeconfig) {
    if (authorizedTtl !== undefined || unauthorizedTtl !== undefined || version)
      throw usage('--authorization-webhook-… go with --authorization-webhook-config-file.')
    return undefined
  }
  return {
    kubeconfig,
    ...(authorizedTtl === undefined ? {} : { authorizedTtl }),
    ...(unauthorizedTtl === undefined ? {} : { unauthorizedTtl }),
    ...(version ? { version } : {}),
  }
}

function given<T extends string>(args: Args, names: Readonly<Record<T, string>>): Partial<Record<T, string>> {
  const pairs = Object.entries<string>(names).map(([field, name]) => [field, args.text(name)] as const)
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined)) as Partial<Record<T, string>>
}

function fileOf(args: Args, name: string): string | undefined {
  const file = args.text(name)
  return file ? resolve(file) : undefined
}

function list(text: string): string[] {
  return text.split(',').flatMap((one) => one.trim() || [])
}

function milliseconds(args: Args, name: string): number | undefined {
  const given = args.text(name)
  if (given === undefined) return undefined
  const ms = parseDuration(given)
  if (ms === null || ms < 0) throw usage(`--${name} takes a duration such as 30s or 2m, not "${given}".`)
  return ms
}
