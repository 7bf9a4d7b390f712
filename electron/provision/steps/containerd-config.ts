/** The configuration of our own containerd instance. Versions 1.5 to 2 read this form (version 2 of the file). */
import { PAUSE_IMAGE } from '../../api/infra/v1alpha1/agent-config.ts'
import { LAYOUT } from '../layout.ts'

export interface ContainerdFacts {
  readonly cniDir: string
  readonly appArmor: boolean
  readonly canLowerOomScore: boolean
}

/** Of an instance; `LAYOUT` has the ones of a machine. */
export type ContainerdPaths = Readonly<
  Record<'containerdRoot' | 'containerdState' | 'containerdSocket' | 'runcRoot' | 'registries' | 'cniConfig', string>
>

/** Plugins that would write outside of our folders, meet another instance, or search for what is not there. */
const DISABLED = [
  'io.containerd.internal.v1.opt',
  'io.containerd.nri.v1.nri',
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.tracing.processor.v1.otlp',
]

export function containerdConfig(facts: ContainerdFacts, paths: ContainerdPaths = LAYOUT): string {
  const text = (value: string) => JSON.stringify(value)
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = ${text(paths.containerdRoot)}
state = ${text(paths.containerdState)}
disabled_plugins = [${DISABLED.map(text).join(', ')}]

[grpc]
  address = ${text(paths.containerdSocket)}

[${cri}]
  sandbox_image = ${text(PAUSE_IMAGE)}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  disable_apparmor = ${!facts.appArmor}
  # Without CAP_SYS_RESOURCE runc cannot lower a score, and fails instead of going on.
  restrict_oom_score_adj = ${!facts.canLowerOomScore}
  # Under our own folder, so that nothing stays in /run/netns.
  netns_mounts_under_state_dir = true

  [${cri}.containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [${cri}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [${cri}.containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = ${text(paths.runcRoot)}

  [${cri}.cni]
    bin_dir = ${text(facts.cniDir)}
    conf_dir = ${text(paths.cniConfig)}

  [${cri}.registry]
    config_path = ${text(paths.registries)}
`
}
