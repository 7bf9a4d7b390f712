/** The two shell scripts that make a sandbox: one builds its root from inside its new namespaces, the other is its PID 1. */
import { quote } from '../quote.ts'
import type { GroupEntries, Hierarchy } from './cgroups.ts'
import type { SharedPaths } from './root.ts'

/** Where PID 1's script lies in the sandbox. */
export const INIT_PATH = 'etc/flotilla-init'

export interface SetupOptions {
  readonly name: string
  /** Absolute path of the folder that becomes the root. */
  readonly root: string
  /** Absolute path of the file that gets "PID STARTTIME BOOTID" of PID 1. */
  readonly pidFile: string
  readonly shared: SharedPaths
  readonly hierarchies: readonly Hierarchy[]
  /** Files of this computer to show read-only: path here, path there without its leading slash. */
  readonly files: readonly { readonly from: string; readonly to: string }[]
}

const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'fuse', 'net/tun', 'kmsg']

/**
 * Enters the control groups, then the namespaces. The group that a process is in when the namespace is made is the root that the
 * sandbox sees.
 */
export function enterScript(groups: GroupEntries, setup: string): string {
  const enter = (files: readonly string[]) => files.map((file) => `echo $$ > ${quote(file)}`).join('\n')
  const namespaces = 'exec unshare --net --mount --propagation private --uts --ipc --pid --fork'
  return `set -e
${enter(groups.roots)}
exec unshare --cgroup sh -c ${quote(`set -e
${enter(groups.leaves)}
${namespaces} sh -c ${quote(setup)}
`)}
`
}

/**
 * Runs as PID 1 of the sandbox with this computer's mounts still in sight. Prints "pid PID" when it can be found, and
 * "ready" when the root is built; then it becomes the init script and has no tie to who started it.
 */
export function setupScript(options: SetupOptions): string {
  const { root, shared } = options
  const at = (path: string) => quote(inMountinfo(`${root}/${path}`))
  return `set -eu
read -r stat < /proc/self/stat
read -r boot < /proc/sys/kernel/random/boot_id
pid=\${stat%% *}
set -- \${stat##*) }
echo "$pid \${20} $boot" > ${quote(`${options.pidFile}.new`)}
mv ${quote(`${options.pidFile}.new`)} ${quote(options.pidFile)}
echo "pid $pid"
trap 'echo "failed in line: $step"' EXIT

step=hostname
hostname ${quote(options.name)} 2>/dev/null || echo ${quote(options.name)} > /proc/sys/kernel/hostname
step=root
mount --bind ${quote(root)} ${quote(root)}
cd ${quote(root)}
${shared.binds.map((path) => `step=${quote(path)}; mount --rbind ${quote(`/${path}`)} ${quote(path)}`).join('\n')}
${options.files.map(({ from, to }) => `step=${quote(to)}; mount --bind ${quote(from)} ${quote(to)}`).join('\n')}
step='read-only'
while read -r _ _ _ _ place _; do
  case $place in
  ${[...shared.binds, ...options.files.map((file) => file.to)].map((path) => `${at(path)} | ${at(path)}/*`).join(' | ')})
    mount -o remount,bind,ro "$(printf %b "$place")" ;;
  esac
done < /proc/self/mountinfo

step=proc
mount -t proc proc proc
# Sysctls of the network belong to its namespace; all others are this computer's.
mount --bind proc/sys/net proc/sys/net
for p in sys sysrq-trigger irq bus; do
  [ -e proc/$p ] || continue
  mount --rbind proc/$p proc/$p
  mount -o remount,bind,ro proc/$p
done
step=sys
mount -t sysfs -o ro sysfs sys
step=run
mount -t tmpfs -o mode=755,size=20% tmpfs run
mkdir -p run/sshd run/lock
mount -t tmpfs -o mode=1777,size=50% tmpfs tmp
step=dev
mount -t tmpfs -o mode=755,size=4m,nosuid tmpfs dev
mkdir -p dev/pts dev/shm dev/net dev/mqueue
for d in ${DEVICES.join(' ')}; do
  [ -e /dev/$d ] || continue
  : > dev/$d
  mount --bind /dev/$d dev/$d
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t mqueue mqueue dev/mqueue 2>/dev/null || true
step=cgroups
${cgroupMounts(options.hierarchies)}
step=pivot
mkdir -p .old
pivot_root . .old
cd /
umount -l /.old
rmdir /.old
trap - EXIT
echo ready
exec < /dev/null > /var/log/sandbox.log 2>&1
exec /bin/sh /${INIT_PATH}
`
}

/** A path as /proc/self/mountinfo spells it; `printf %b` turns it back. Source: proc(5). */
function inMountinfo(path: string): string {
  return path.replace(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

/** The same layout as here, each with the sandbox's group as its root. */
function cgroupMounts(all: readonly Hierarchy[]): string {
  const base = '/sys/fs/cgroup'
  const unified = all.find((hierarchy) => hierarchy.mount === base)
  if (unified) return `mount -t cgroup2 cgroup2 sys/fs/cgroup\n${delegate('sys/fs/cgroup')}`
  const lines = ['mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup']
  for (const { mount, version, options } of all) {
    const place = `sys/fs/cgroup/${mount.slice(base.length + 1)}`
    lines.push(`mkdir -p ${quote(place)}`)
    if (version === 2) lines.push(`mount -t cgroup2 cgroup2 ${quote(place)}`, delegate(place))
    else {
      lines.push(`mount -t cgroup -o ${quote(options)} cgroup ${quote(place)}`)
      const controllers = options.split(',')
      if (controllers.length > 1 && controllers[0] !== 'none')
        for (const controller of controllers)
          lines.push(`ln -s ${quote(place.split('/').at(-1) ?? '')} ${quote(`sys/fs/cgroup/${controller}`)}`)
    }
  }
  return lines.join('\n')
}

/** Hands the controllers on to the groups that will be made below. */
function delegate(place: string): string {
  return `sed 's/[a-z]\\+/+&/g' ${quote(`${place}/cgroup.controllers`)} > ${quote(`${place}/cgroup.subtree_control`)} || true`
}

/**
 * PID 1: keeps sshd up and reaps what is left to it (a shell that waits, waits for every child). Ending it ends the sandbox.
 * Services that were set up before a restart come back without anyone asking.
 */
export const INIT_SCRIPT = `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
trap 'exit 0' TERM INT
umask 022
[ ! -x /opt/flotilla/bin/flotilla-services ] || setsid /opt/flotilla/bin/flotilla-services start &
while :; do
  $(command -v sshd) -D -e &
  wait $!
  sleep 1 &
  wait $!
done
`
