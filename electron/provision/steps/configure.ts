/** Everything on a machine that is not a program: configuration, certificate, token, units. */
import type { AgentConfig } from '../../api/infra/v1alpha1/agent-config.ts'
import { AGENT_PORT, LAYOUT, UNITS } from '../layout.ts'
import { quote } from '../quote.ts'
import { requireSuccess } from '../ssh/exec.ts'
import { containerdConfig } from './containerd-config.ts'
import type { MachineFacts } from './facts.ts'
import type { StepTools } from './step.ts'
import type { Target } from './target.ts'
import { writeFiles, type RemoteFile } from './write-files.ts'

/** What all nodes of a cluster are told. */
export interface ClusterInfo {
  /** Short, without spaces; the same for the cluster's whole life. Tells machines of other clusters apart. */
  readonly id: string
  /** PEM of the CA that signed the API server's certificate. */
  readonly caPem: string
  readonly clusterDomain: string
  readonly serviceCIDR: string
  readonly clusterCIDR: string
  readonly apiVip: string
  readonly dnsVip: string
}

export interface NodeSettings {
  readonly nodeName: string
  readonly nodeIP: string
  readonly labels: Readonly<Record<string, string>>
  readonly memoryLimitBytes?: number
  /** "id.secret"; absent: the one that is there stays, for an agent that has its certificate already. */
  readonly bootstrapToken?: string
}

/** Our files of `resources/units`, by name. */
export interface UnitFiles {
  readonly containerdUnit: string
  readonly agentUnit: string
  readonly services: string
  readonly uninstall: string
}

export function agentConfig(cluster: ClusterInfo, node: NodeSettings, facts: MachineFacts): AgentConfig {
  return {
    nodeName: node.nodeName,
    nodeIP: node.nodeIP,
    labels: node.labels,
    clusterDomain: cluster.clusterDomain,
    serviceCIDR: cluster.serviceCIDR,
    clusterCIDR: cluster.clusterCIDR,
    apiVip: cluster.apiVip,
    dnsVip: cluster.dnsVip,
    caFile: LAYOUT.clusterCa,
    bootstrapTokenFile: LAYOUT.bootstrapToken,
    apiPortFile: LAYOUT.apiPort,
    stateDir: LAYOUT.agentState,
    logDir: LAYOUT.logs,
    containerdSocket: LAYOUT.containerdSocket,
    cniBinDir: facts.cni?.dir ?? '/usr/lib/cni',
    cniConfDir: LAYOUT.cniConfig,
    port: AGENT_PORT,
    serviceManager: facts.systemd ? 'systemd' : 'none',
    ...(node.memoryLimitBytes === undefined ? {} : { memoryLimitBytes: node.memoryLimitBytes }),
  }
}

/** The address that other nodes use, unless one was given. */
export function nodeAddress(facts: MachineFacts, given?: string): string {
  if (given) return given
  const reached = facts.sshAddress ?? ''
  const usable = /^\d+\.\d+\.\d+\.\d+$/.test(reached) && !reached.startsWith('127.')
  return usable ? reached : (facts.routeAddress ?? reached)
}

export function ownerText(cluster: ClusterInfo, machine: string): string {
  return `${cluster.id} ${machine}`
}

export function configFiles(cluster: ClusterInfo, node: NodeSettings, facts: MachineFacts, units: UnitFiles): RemoteFile[] {
  const cniDir = facts.cni?.dir ?? '/usr/lib/cni'
  const files: RemoteFile[] = [
    { path: LAYOUT.owner, mode: 0o644, content: ownerText(cluster, node.nodeName) },
    { path: LAYOUT.agentConfig, mode: 0o600, content: JSON.stringify(agentConfig(cluster, node, facts), null, 2) },
    { path: LAYOUT.clusterCa, mode: 0o644, content: cluster.caPem },
    { path: LAYOUT.containerdConfig, mode: 0o600, content: containerdConfig({ cniDir, ...facts }) },
    { path: LAYOUT.uninstall, mode: 0o755, content: units.uninstall },
  ]
  if (node.bootstrapToken !== undefined) files.push({ path: LAYOUT.bootstrapToken, mode: 0o600, content: node.bootstrapToken })
  if (facts.systemd)
    files.push(
      { path: `${LAYOUT.units}/${UNITS.containerd}`, mode: 0o644, content: units.containerdUnit },
      { path: `${LAYOUT.units}/${UNITS.agent}`, mode: 0o644, content: units.agentUnit },
    )
  else files.push({ path: LAYOUT.services, mode: 0o755, content: units.services })
  return files
}

/** Writes all files and makes the folders. What was not there before is taken away again if the step fails. */
export async function configure(target: Target, files: readonly RemoteFile[], tools: StepTools): Promise<void> {
  const { root, connection, facts } = target
  if (facts.owner === null)
    tools.undo((signal) =>
      root.exec(
        `rm -f ${files.map(({ path }) => `${quote(path)} ${quote(`${path}.new`)}`).join(' ')}
${FOLDERS.map(([path]) => path)
  .toReversed()
  .map((path) => `rmdir ${path} 2>/dev/null`)
  .join('\n')}
rmdir /etc/cni 2>/dev/null
[ ! -d /run/systemd/system ] || systemctl daemon-reload`,
        { signal },
      ),
    )
  const script = [
    ...FOLDERS.map(([path, mode]) => `mkdir -p ${path} && chmod ${mode.toString(8)} ${path} || exit 1`),
    `chown ${quote(connection.user)} ${LAYOUT.link} || exit 1`,
  ].join('\n')
  requireSuccess(await root.exec(script, { signal: tools.signal, timeoutMs: 90_000 }), 'Could not make the folders for Flotilla.')
  await writeFiles(root, files, tools.signal)
}

const FOLDERS: readonly [path: string, mode: number][] = [
  [LAYOUT.programs, 0o755],
  [`${LAYOUT.programs}/bin`, 0o755],
  [LAYOUT.state, 0o711],
  [LAYOUT.agentState, 0o700],
  [LAYOUT.link, 0o755],
  [LAYOUT.registries, 0o755],
  [LAYOUT.logs, 0o755],
  [LAYOUT.cniConfig, 0o755],
]
