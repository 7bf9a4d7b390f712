/** A Debian system as a folder, built once from Debian's packages and kept under `.cache/`. Test hosts lie over it as overlays. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const exec = promisify(execFile)

const CACHE = join(import.meta.dirname, '../../../.cache/hosts')

/** What `installRuntime` is to install; kept as packages too, so that it can be tried without a network. */
export const RUNTIME_PACKAGES = ['containerd', 'runc', 'containernetworking-plugins']
const PACKAGES = [
  'ca-certificates',
  'dbus',
  'fish',
  'iproute2',
  'iputils-ping',
  'kmod',
  'libpam-google-authenticator',
  'nftables',
  'opendoas',
  'openssh-server',
  'procps',
  'sudo',
  'systemd',
  'systemd-sysv',
  'tcsh',
  'zstd',
  ...RUNTIME_PACKAGES,
]

/** Users of every test host, and how each gets root. All may sign in with the lab's key or their password. */
export const USERS = {
  root: { password: 'root-secret' },
  /** sudo asks for the password. */
  ana: { password: 'ana-secret' },
  /** sudo asks for nothing. */
  bob: { password: 'bob-secret' },
  /** No sudo. */
  eve: { password: 'eve-secret' },
} as const

const CUSTOMIZE = `set -eu
root=$1
for user in ana bob eve; do chroot "$root" useradd -m -s /bin/bash "$user"; done
printf '%s\\n' ${Object.entries(USERS)
  .map(([user, { password }]) => `${user}:${password}`)
  .join(' ')} | chroot "$root" chpasswd
printf 'ana ALL=(ALL:ALL) ALL\\nbob ALL=(ALL:ALL) NOPASSWD: ALL\\n' > "$root/etc/sudoers.d/lab"
chmod 440 "$root/etc/sudoers.d/lab"
rm -f "$root"/etc/ssh/ssh_host_*
: > "$root/etc/fstab"
mkdir -p "$root/srv/packages"
cd "$root/srv/packages"
apt-get download -qq ${RUNTIME_PACKAGES.join(' ')}
for deb in *.deb; do
  dpkg-deb -f "$deb"
  printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' "$deb" "$(wc -c < "$deb")" "$(sha256sum < "$deb" | cut -d' ' -f1)"
done > Packages
for unit in systemd-udevd systemd-udev-trigger systemd-modules-load getty@tty1 console-getty systemd-logind systemd-networkd systemd-timesyncd systemd-sysctl containerd; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit.service"
done
`

/** The folder of the system; takes about 40 seconds the first time. */
export async function baseRoot(): Promise<string> {
  const id = createHash('sha256')
    .update(JSON.stringify([PACKAGES, CUSTOMIZE]))
    .digest('hex')
    .slice(0, 12)
  const root = join(CACHE, `debian-12-${id}`)
  const there = await access(join(root, 'usr/sbin/sshd')).then(
    () => true,
    () => false,
  )
  if (there) return root
  await mkdir(CACHE, { recursive: true })
  const part = join(CACHE, `building-${id}-${process.pid}`)
  const hook = `${part}.sh`
  try {
    await writeFile(hook, CUSTOMIZE, { mode: 0o755 })
    const options = ['--mode=root', '--variant=minbase', '--format=directory', `--include=${PACKAGES.join(',')}`]
    const slim = ['doc', 'man', 'locale'].map((dir) => `--dpkgopt=path-exclude=/usr/share/${dir}/*`)
    await exec('mmdebstrap', [...options, ...slim, `--customize-hook=sh ${hook} "$1"`, 'bookworm', part], { maxBuffer: 1 << 26 })
    // Another run may have been faster.
    await rename(part, root).catch(() => undefined)
  } finally {
    await rm(part, { recursive: true, force: true })
    await rm(hook, { force: true })
  }
  await access(join(dirname(root), `debian-12-${id}`))
  return root
}
