/** What can be set of the controllers. Defaults are kube-controller-manager's, unless said otherwise. Times are in milliseconds. */
export interface ControllerOptions {
  /** Signs certificate requests; without it nobody does. */
  readonly signer?: CertificateSigner
  /** PEM of the cluster's CA, for the ConfigMap `kube-root-ca.crt` of each namespace; without it there is none. */
  readonly rootCa?: string
  /** A token without an end for an account, kept in this Secret; without it Secrets get none. */
  readonly signToken?: (subject: { namespace: string; name: string; uid: string; secret: string }) => Promise<string>
  /** Addresses for pods: "10.244.0.0/16". Without it nodes get none from here. */
  readonly clusterCidr?: string
  /** Addresses for Services, as the API server gives them out: "10.96.0.0/16". Without it no ServiceCIDR tells of them. */
  readonly serviceCidr?: string
  /** Brings the addresses of each node's pods to it; without it nobody does from here. */
  readonly routes?: RouteProvider
  /** Prefix length of a node's part of them. Default 24 for IPv4, 64 for IPv6. */
  readonly nodeCidrMaskSize?: number
  /** So long a node may be silent before its state is unknown. Default 50 s. */
  readonly nodeMonitorGracePeriod?: number
  /** How often nodes are looked after. Default 5 s. */
  readonly nodeMonitorPeriod?: number
  /** Nodes a second that may lose their pods in a zone that is well. Default 0.1. */
  readonly nodeEvictionRate?: number
  /** The same where many nodes of a large zone fail together. Default 0.01. */
  readonly secondaryNodeEvictionRate?: number
  /** A zone of more nodes than this is large; in smaller ones that are disturbed nothing is evicted. Default 50. */
  readonly largeClusterThreshold?: number
  /** Share of failed nodes from which a zone is disturbed. Default 0.55. */
  readonly unhealthyZoneThreshold?: number
  /** So many ended pods are kept; 0: all. Default 12,500. */
  readonly terminatedPodThreshold?: number
}

/** Who knows the ways to nodes, as a cloud's network does. Source: kubernetes `cloud-provider.Routes`. */
export interface RouteProvider {
  list(signal: AbortSignal): Promise<readonly Route[]>
  create(route: Route, signal: AbortSignal): Promise<void>
  delete(route: Route, signal: AbortSignal): Promise<void>
}

export interface Route {
  /** The node's name. */
  readonly node: string
  /** Addresses of its pods: "10.244.3.0/24". */
  readonly cidr: string
}

/** Structurally the API server's own signer. */
export interface CertificateSigner {
  /** `request` is PKCS #10 in PEM; resolves to the certificate in PEM. Throws Status `BadRequest` for what cannot be signed. */
  sign(request: string, options: { usages: readonly string[]; expirationSeconds?: number | undefined }): Promise<string>
}
