/** Who beside the cluster's own certificates and RBAC decides who someone is and what they may do. Plain data; files are absolute paths. */
export interface AccessConfig {
  /** AuthenticationConfiguration; absent: `authentication.yaml` in the state folder, if there is one. */
  readonly authenticationFile?: string
  /** One issuer by flags, in the place of a file. */
  readonly oidc?: OidcFlags
  readonly tokenWebhook?: TokenWebhook
  /** AuthorizationConfiguration; absent: `authorization.yaml` in the state folder, if there is one. */
  readonly authorizationFile?: string
  /** In the place of a file: Node, RBAC and Webhook, in the order in which they are asked. */
  readonly authorizationModes?: readonly string[]
  readonly authorizationWebhook?: AuthorizationWebhook
}

/** As kube-apiserver's flags of the same names. */
export interface OidcFlags {
  readonly issuerUrl: string
  readonly clientId: string
  readonly usernameClaim?: string
  readonly usernamePrefix?: string
  readonly groupsClaim?: string
  readonly groupsPrefix?: string
  readonly requiredClaims?: Readonly<Record<string, string>>
  /** PEM. */
  readonly caFile?: string
  readonly signingAlgorithms?: readonly string[]
}

export interface TokenWebhook {
  readonly kubeconfig: string
  /** In milliseconds. */
  readonly cacheTtl?: number
  readonly version?: 'v1' | 'v1beta1'
}

export interface AuthorizationWebhook {
  readonly kubeconfig: string
  /** In milliseconds. */
  readonly authorizedTtl?: number
  readonly unauthorizedTtl?: number
  readonly version?: 'v1' | 'v1beta1'
}
