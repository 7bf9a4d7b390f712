/**
 * The configuration of our own containerd, for versions 1.6 to 2 (all read version 2 of the file). What depends on the machine is
 * told by `host-facts.ts`.
 */
import type { HostFacts } from './host-facts.ts'

export interface ContainerdPaths {
  /** Images, layers and containers; kept over reboots. */
  readonly root: string
  /** Sockets and mounts of running containers; lost with a reboot. */
  readonly state: string
  readonly socket: string
  /** Holds a folder per registry with its `hosts.toml`. */
  readonly registries: string
  readonly cniBinDir: string
  readonly cniConfDir: string
}

export interface ContainerdConfigInput {
  readonly paths: ContainerdPaths
  readonly host: HostFacts
  /** Name of the image that holds a pod's namespaces open; must be imported before the first pod. */
  readonly pauseImage: string
}

/** What a pod's sandbox runs; the provisioner makes and imports it under this name. */
export const PAUSE_IMAGE = 'flotilla.local/pause:1'

const UNUSED_PLUGINS = [
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.internal.v1.opt',
  'io.containerd.tracing.processor.v1.otlp',
]

export function renderContainerdConfig({ paths, host, pauseImage }: ContainerdConfigInput): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = ${toml(paths.root)}
state = ${toml(paths.state)}
oom_score = ${host.canLowerOomScore ? -999 : 0}
disabled_plugins = [${UNUSED_PLUGINS.map(toml).join(', ')}]

[grpc]
  address = ${toml(paths.socket)}

[${cri}]
  sandbox_image = ${toml(pauseImage)}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  stream_idle_timeout = "4h0m0s"
  enable_selinux = false
  disable_apparmor = ${!host.appArmor}
  restrict_oom_score_adj = ${!host.canLowerOomScore}
  max_container_log_line_size = 16384

  [${cri}.containerd]
    snapshotter = ${toml(host.overlay ? 'overlayfs' : 'native')}
    default_runtime_name = "runc"
    discard_unpacked_layers = false

    [${cri}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [${cri}.containerd.runtimes.runc.options]
        SystemdCgroup = false

  [${cri}.cni]
    bin_dir = ${toml(paths.cniBinDir)}
    conf_dir = ${toml(paths.cniConfDir)}

  [${cri}.registry]
    config_path = ${toml(paths.registries)}
`
}

/** A basic string of TOML; JSON's escapes are among its own. */
function toml(text: string): string {
  return JSON.stringify(text)
}
