/** Where everything lies on a machine; see docs/architecture.md, "What is on a worker". */
export const LAYOUT = {
  programs: '/opt/flotilla',
  node: '/opt/flotilla/bin/node',
  agent: '/opt/flotilla/agent/agent.mjs',
  /** Keeps the services alive where there is no systemd. */
  services: '/opt/flotilla/bin/flotilla-services',
  /** Takes everything of this table away. */
  uninstall: '/opt/flotilla/bin/flotilla-uninstall',

  state: '/var/lib/flotilla',
  /** Says whose machine it is: "CLUSTER NAME". */
  owner: '/var/lib/flotilla/owner',
  agentState: '/var/lib/flotilla/agent',
  agentConfig: '/var/lib/flotilla/agent/config.json',
  clusterCa: '/var/lib/flotilla/agent/ca.crt',
  bootstrapToken: '/var/lib/flotilla/agent/bootstrap-token',
  /** Owned by the SSH user. */
  link: '/var/lib/flotilla/link',
  apiPort: '/var/lib/flotilla/link/api-port',
  /** The address at which the control plane reached the machine last; the agent follows it when its own is gone. */
  linkAddress: '/var/lib/flotilla/link/address',
  /** Made by the agent while it has no certificate and no token that holds. */
  wantsToken: '/var/lib/flotilla/link/wants-token',
  /** The control plane's answer to that. */
  linkToken: '/var/lib/flotilla/link/bootstrap-token',
  containerdRoot: '/var/lib/flotilla/containerd',
  containerdConfig: '/var/lib/flotilla/containerd.toml',
  /** A folder per registry with its `hosts.toml`. */
  registries: '/var/lib/flotilla/registries',

  run: '/run/flotilla',
  containerdState: '/run/flotilla/containerd',
  runcRoot: '/run/flotilla/runc',
  containerdSocket: '/run/flotilla/containerd.sock',
  logs: '/var/log/flotilla',
  cniConfig: '/etc/cni/flotilla',
  units: '/etc/systemd/system',
} as const

/** systemd's names of the two services. */
export const UNITS = { containerd: 'flotilla-containerd.service', agent: 'flotilla-agent.service' } as const

export const AGENT_PORT = 10250
/** UDP. */
export const VXLAN_PORT = 8472
