/** What containerd runs as each pod's sandbox. The provisioner makes it and brings it to the machine; the agent never deletes it. */
export const PAUSE_IMAGE = 'flotilla.local/pause:1'

/** `/var/lib/flotilla/agent/config.json`: what the provisioner tells the agent. Everything else the agent asks the API server. */
export interface AgentConfig {
  readonly nodeName: string
  /** The address that other nodes use. */
  readonly nodeIP: string
  /** On the Node when it registers. */
  readonly labels: Readonly<Record<string, string>>
  readonly clusterDomain: string
  readonly serviceCIDR: string
  readonly clusterCIDR: string
  /** Address of `default/kubernetes`, on every node's `lo`. */
  readonly apiVip: string
  /** Address of the cluster's DNS, on every node's `lo`. */
  readonly dnsVip: string
  /** PEM of the cluster CA. */
  readonly caFile: string
  /** Holds a bootstrap token ("id.secret"); read only while there is no client certificate. */
  readonly bootstrapTokenFile: string
  /** Holds the loopback port of the reverse forward, in decimal; rewritten on each connection. */
  readonly apiPortFile: string
  readonly stateDir: string
  readonly logDir: string
  /** Unix socket of our containerd. */
  readonly containerdSocket: string
  /** Where CNI plugin binaries are, and the folder for our configuration. */
  readonly cniBinDir: string
  readonly cniConfDir: string
  /** mTLS port of the agent's own server. */
  readonly port: number
  /** "systemd" or "none": who runs the services. */
  readonly serviceManager: 'systemd' | 'none'
  /** Resources kept from pods: Kubernetes quantities. */
  readonly reserved?: Readonly<Record<string, string>>
  /** Bytes; absent: what the kernel says. For machines whose memory is limited by a cgroup. */
  readonly memoryLimitBytes?: number
  /** Group of the kernel's tree that pods' groups are made in; absent: "/flotilla". */
  readonly cgroupRoot?: string
}
