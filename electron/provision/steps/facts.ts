/** What one script finds out about a machine, in one round trip and without changing anything. */
import type { RootShell } from '../ssh/sudo.ts'
import { CNI_DIRS, PACKAGE_MANAGERS, type PackageManager } from '../packages.ts'
import { LAYOUT } from '../layout.ts'
import { osFamily, parseLibc, type Libc, type OsFamily } from './os-family.ts'

export interface MachineFacts {
  /** "Linux". */
  readonly system: string
  /** "Debian GNU/Linux 12 (bookworm)". */
  readonly osName: string
  readonly family: OsFamily
  /** Null if it could not be told. */
  readonly libc: Libc | null
  /** What starts services where that is not systemd: "OpenRC", "runit". */
  readonly init: string | null
  readonly architecture: 'amd64' | 'arm64' | null
  /** As `uname -m` says. */
  readonly machine: string
  /** "6.1.0-25-amd64". */
  readonly kernel: string
  readonly hostname: string
  /** "252" where systemd is PID 1. */
  readonly systemd: string | null
  /** Of version 2 where there is only that; else of the mounted hierarchies. */
  readonly cgroups: { readonly version: 1 | 2; readonly controllers: readonly string[] }
  /** Type of the file system that will hold /var/lib/flotilla, as `stat -f` names it. */
  readonly filesystem: string
  readonly overlay: boolean
  /** Mebibytes free where programs and state go. */
  readonly freeMib: { readonly programs: number; readonly state: number }
  readonly memoryMib: number
  readonly swapMib: number
  /** Milliseconds since the epoch on the machine. */
  readonly now: number
  readonly packageManager: PackageManager | null
  readonly containerd: string | null
  readonly runc: string | null
  readonly iproute: string | null
  /** The folder of the CNI plugins, and those that are missing in it. */
  readonly cni: { readonly dir: string; readonly missing: readonly string[] } | null
  /** Null if it works, else what it said; tried in a network namespace of its own. */
  readonly nft: string | null
  readonly vxlan: string | null
  readonly bridge: string | null
  readonly bridgeFilter: boolean
  /** Listening ports: "tcp 10250". */
  readonly listening: ReadonlySet<string>
  /** "CLUSTER NAME" of whoever set it up before. */
  readonly owner: string | null
  readonly runtimeSha256: string | null
  readonly agentSha256: string | null
  readonly zstd: boolean
  readonly gzip: boolean
  /** "enforcing", "permissive" or null. */
  readonly selinux: string | null
  readonly firewall: string | null
  readonly appArmor: boolean
  /** Whether root may make processes harder to kill (CAP_SYS_RESOURCE). */
  readonly canLowerOomScore: boolean
  /** The address that the SSH connection reached, and the one it would use itself to go out. */
  readonly sshAddress: string | null
  readonly routeAddress: string | null
  /** All that it has, without those of its loopback. */
  readonly addresses: readonly string[]
}

const CNI_PLUGINS = ['bridge', 'host-local', 'portmap', 'loopback']

const SCRIPT = `
export PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" LC_ALL=C
say() { printf '%s=%s\\n' "$1" "$(printf '%s' "$2" | tr '\\n' ' ')"; }
try() { name=$1; shift; said=$("$@" 2>&1) && say "$name" '' || say "$name" "$(echo "\${said:-it failed}" | head -n 1)"; }
has() { command -v "$1" >/dev/null 2>&1; }
say now "$(date +%s%N)"
say system "$(uname -s)"
say machine "$(uname -m)"
say kernel "$(uname -r)"
say hostname "$(uname -n)"
say os "$( (. /etc/os-release; printf %s "$PRETTY_NAME") 2>/dev/null)"
say osId "$( (. /etc/os-release; printf %s "$ID") 2>/dev/null)"
say osLike "$( (. /etc/os-release; printf %s "$ID_LIKE") 2>/dev/null)"
say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>&1 | head -n 2)"
if [ -d /run/openrc ]; then say init OpenRC; elif [ -d /run/runit ] || [ -d /etc/runit/runsvdir ]; then say init runit; fi
[ ! -d /run/systemd/system ] || say systemd "$(systemctl --version 2>/dev/null | { read -r _ version _; echo "$version"; })"
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  say cgroups 2
  say controllers "$(cat /sys/fs/cgroup/cgroup.controllers)"
else
  say cgroups 1
  say controllers "$(while read -r _ place type _; do [ "$type" != cgroup ] || printf '%s ' "\${place##*/}" | tr , ' '; done < /proc/mounts)"
fi
near() { p=$1; while [ ! -e "$p" ]; do p=$(dirname "$p"); done; echo "$p"; }
free() { df -Pk "$(near "$1")" | { read -r _; read -r _ _ _ free _; echo $((free / 1024)); }; }
say filesystem "$(stat -f -c %T "$(near ${LAYOUT.containerdRoot})" 2>/dev/null)"
say freeState "$(free ${LAYOUT.state})"
say freePrograms "$(free ${LAYOUT.programs})"
grep -qw overlay /proc/filesystems || modprobe -n overlay 2>/dev/null && say overlay yes
while read -r key value _; do
  case $key in MemTotal:) say memory $((value / 1024));; SwapTotal:) say swap $((value / 1024));; esac
done < /proc/meminfo
for limit in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
  [ ! -r $limit ] || say memoryLimit "$(cat $limit)"
done
for manager in ${PACKAGE_MANAGERS.join(' ')}; do has $manager && { say manager $manager; break; }; done
has containerd && say containerd "$(containerd --version 2>&1)"
has runc && say runc "$(runc --version 2>&1 | head -n 1)"
has ip && say iproute "$(ip -V 2>&1)"
has zstd && say zstd yes
has gzip && say gzip yes
for dir in ${CNI_DIRS.join(' ')}; do
  [ -e $dir/bridge ] || continue
  say cni $dir
  say cniMissing "$(for plugin in ${CNI_PLUGINS.join(' ')}; do [ -x $dir/$plugin ] || printf '%s ' $plugin; done)"
  break
done
alone() { unshare --net -- sh -c "$1"; }
has nft && try nft alone 'printf "table ip t { map m { type ipv4_addr . inet_proto . inet_service : verdict; }\\n chain c { type nat hook prerouting priority dstnat; ip daddr . meta l4proto . th dport vmap @m; numgen random mod 2 vmap { 0 : accept, 1 : accept }; }\\n chain p { type nat hook postrouting priority srcnat; masquerade; }\\n}\\n" | nft -f -' || say nft 'it is not installed'
has ip && try vxlan alone 'ip link add name flv type vxlan id 77 dstport 8472 local 127.0.0.1 nolearning' || say vxlan 'ip is not installed'
has ip && try bridge alone 'ip link add name flbr type bridge && ip link add name flx type veth peer name fly && ip link set dev flx master flbr' || say bridge 'ip is not installed'
{ [ -e /proc/sys/net/bridge ] || modprobe -n br_netfilter 2>/dev/null; } && say bridgeFilter yes
for protocol in tcp tcp6 udp udp6; do
  [ -r /proc/net/$protocol ] || continue
  while read -r _ address _ state _; do
    case $protocol.$state in
    tcp*.0A | udp*) say listening "\${protocol%6} \${address##*:}" ;;
    esac
  done < /proc/net/$protocol
done
[ -r ${LAYOUT.owner} ] && say owner "$(cat ${LAYOUT.owner})"
sum() { sha256sum < "$1" 2>/dev/null | cut -d' ' -f1; }
[ -r ${LAYOUT.node} ] && say runtimeSha256 "$(sum ${LAYOUT.node})"
[ -r ${LAYOUT.agent} ] && say agentSha256 "$(sum ${LAYOUT.agent})"
[ -r /sys/fs/selinux/enforce ] && { [ "$(cat /sys/fs/selinux/enforce)" = 1 ] && say selinux enforcing || say selinux permissive; }
if has firewall-cmd && firewall-cmd --state >/dev/null 2>&1; then say firewall firewalld
elif has ufw && ufw status 2>/dev/null | grep -q '^Status: active'; then say firewall ufw
fi
[ -r /sys/module/apparmor/parameters/enabled ] && [ "$(cat /sys/module/apparmor/parameters/enabled)" = Y ] && has apparmor_parser && say appArmor yes
(echo -1 > /proc/self/oom_score_adj) 2>/dev/null && say oom yes
has ip && say route "$(ip -4 route get 192.0.2.1 2>/dev/null)"
has ip && say addresses "$(ip -o addr show scope global 2>/dev/null | while read -r _ _ _ address _; do printf '%s ' "\${address%/*}"; done)"
exit 0
`

/** Asks the machine. `sshConnection` is the value of SSH_CONNECTION, which root does not see through sudo. */
export async function gatherFacts(root: RootShell, sshConnection: string, signal?: AbortSignal): Promise<MachineFacts> {
  const { stdout } = await root.exec(SCRIPT, { signal, timeoutMs: 180_000 })
  return parseFacts(stdout, sshConnection)
}

export function parseFacts(text: string, sshConnection: string): MachineFacts {
  const values = new Map<string, string>()
  const listening = new Set<string>()
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    if (at === -1) continue
    const [key, value] = [line.slice(0, at), line.slice(at + 1).trim()]
    if (key !== 'listening') values.set(key, value)
    else {
      const [protocol, port = ''] = value.split(' ')
      listening.add(`${protocol} ${Number.parseInt(port, 16)}`)
    }
  }
  const get = (key: string) => values.get(key) || null
  const number = (key: string) => Number(values.get(key) ?? 0)
  const words = (key: string) => (values.get(key) ?? '').split(/\s+/).filter(Boolean)
  const outcome = (key: string) => (values.has(key) ? get(key) : 'it could not be tried')
  const machine = get('machine') ?? ''
  const cniDir = get('cni')
  return {
    system: get('system') ?? '',
    osName: get('os') ?? '',
    family: osFamily(get('osId') ?? '', get('osLike') ?? ''),
    libc: parseLibc(get('libc') ?? ''),
    init: get('init'),
    architecture: machine === 'x86_64' ? 'amd64' : machine === 'aarch64' ? 'arm64' : null,
    machine,
    kernel: get('kernel') ?? '',
    hostname: get('hostname') ?? '',
    systemd: get('systemd'),
    cgroups: { version: get('cgroups') === '2' ? 2 : 1, controllers: words('controllers') },
    filesystem: get('filesystem') ?? '',
    overlay: get('overlay') !== null,
    freeMib: { programs: number('freePrograms'), state: number('freeState') },
    memoryMib: smallerMemory(number('memory'), get('memoryLimit')),
    swapMib: number('swap'),
    now: Number((values.get('now') ?? '0').replace(/N$/, '000000000').slice(0, 13)),
    packageManager: PACKAGE_MANAGERS.find((name) => name === get('manager')) ?? null,
    containerd: version(get('containerd')),
    runc: version(get('runc')),
    iproute: get('iproute'),
    cni: cniDir ? { dir: cniDir, missing: words('cniMissing') } : null,
    nft: outcome('nft'),
    vxlan: outcome('vxlan'),
    bridge: outcome('bridge'),
    bridgeFilter: get('bridgeFilter') !== null,
    listening,
    owner: get('owner'),
    runtimeSha256: get('runtimeSha256'),
    agentSha256: get('agentSha256'),
    zstd: get('zstd') !== null,
    gzip: get('gzip') !== null,
    selinux: get('selinux'),
    firewall: get('firewall'),
    appArmor: get('appArmor') !== null,
    canLowerOomScore: get('oom') !== null,
    sshAddress: sshConnection.trim().split(' ')[2] ?? null,
    addresses: words('addresses'),
    routeAddress: /\bsrc (\S+)/.exec(values.get('route') ?? '')?.[1] ?? null,
  }
}

function smallerMemory(totalMib: number, limit: string | null): number {
  const bytes = Number(limit)
  return Number.isFinite(bytes) && bytes > 0 ? Math.min(totalMib, Math.floor(bytes / 2 ** 20)) : totalMib
}

/** "1.6.20~ds1" of "containerd github.com/containerd/containerd 1.6.20~ds1 …"; the whole text if there is no number in it. */
function version(text: string | null): string | null {
  return text === null ? null : (/\bv?(\d+\.\d+[^\s,]*)/.exec(text)?.[1] ?? text)
}
