/** What Flotilla's own machine image is made of: Debian 12, cut down to what a node needs and to what boots fast without hardware help. */
import { createHash } from 'node:crypto'

export type ImageArchitecture = 'amd64' | 'arm64'

/** A file or a symbolic link that is laid over the packages' files. */
export type OverlayEntry =
  { readonly path: string; readonly content: string; readonly mode?: number } | { readonly path: string; readonly link: string }

export interface ImageRecipe {
  readonly architecture: ImageArchitecture
  readonly suite: string
  readonly packages: readonly string[]
  /** Paths that dpkg leaves out. */
  readonly excluded: readonly string[]
  readonly overlay: readonly OverlayEntry[]
  /** The initial RAM disk's first program, and the kernel modules that it needs to reach the root file system. */
  readonly init: string
  readonly initModules: readonly string[]
  /** Mebibytes of the file system in the image. It grows to its disk at each boot. */
  readonly sizeMib: number
}

const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'udev', 'kmod', 'procps', 'busybox-static'],
  ...['openssh-server', 'iproute2', 'nftables', 'ethtool', 'iputils-ping', 'ca-certificates', 'zstd'],
  ...['containerd', 'runc', 'containernetworking-plugins'],
]

/** Units that a node in a virtual machine has no use for; each costs a second or more of an emulated boot. */
const MASKED = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'containerd.service',
  'dev-hugepages.mount',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
  'getty-static.service',
  'getty@tty1.service',
  'modprobe@configfs.service',
  'modprobe@dm_mod.service',
  'modprobe@drm.service',
  'modprobe@efi_pstore.service',
  'modprobe@fuse.service',
  'modprobe@loop.service',
  'nftables.service',
  'proc-sys-fs-binfmt_misc.automount',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'systemd-binfmt.service',
  'systemd-logind.service',
  'systemd-pstore.service',
  'systemd-update-utmp-runlevel.service',
  'systemd-update-utmp.service',
]

/**
 * Without logind nobody hears ACPI's power button: this reads the one event that the button ever sends. Source: the kernel's
 * Documentation/input, `struct input_event` of 24 bytes.
 */
const POWER_BUTTON = `[Unit]
Description=Power button
After=systemd-modules-load.service
[Service]
ExecStart=/bin/sh -c 'for e in /sys/class/input/event*; do read -r n < $$e/device/name; [ "$$n" != "Power Button" ] || exec sh -c "head -c 24 /dev/input/$$(basename $$e) > /dev/null && exec systemctl poweroff"; done'
`

/** Reads as a file system of any size; grows to what the disk has become. */
const FSTAB = '/dev/vda / ext4 rw,noatime,x-systemd.growfs 0 0\n'

const OVERLAY: readonly OverlayEntry[] = [
  { path: 'etc/fstab', content: FSTAB },
  { path: 'etc/hostname', content: 'flotilla\n' },
  { path: 'etc/hosts', content: '127.0.0.1 localhost\n::1 localhost\n' },
  { path: 'etc/machine-id', content: '' },
  { path: 'etc/resolv.conf', content: 'nameserver 10.0.2.3\n' },
  {
    path: 'etc/ssh/sshd_config.d/flotilla.conf',
    content: 'HostKey /etc/ssh/ssh_host_ed25519_key\nUseDNS no\nUsePAM no\nPasswordAuthentication no\nMaxSessions 100\n',
  },
  { path: 'etc/modules-load.d/flotilla.conf', content: 'br_netfilter\nbutton\nevdev\noverlay\nvxlan\n' },
  { path: 'etc/systemd/journald.conf.d/flotilla.conf', content: '[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\n' },
  // What a machine is told about itself is written by systemd-tmpfiles; who reads it waits for that.
  {
    path: 'etc/systemd/system/systemd-networkd.service.d/flotilla.conf',
    content: '[Unit]\nAfter=systemd-tmpfiles-setup.service\n',
  },
  // The serial line leads to a socket that only who runs the machine may open.
  {
    path: 'etc/systemd/system/serial-getty@.service.d/flotilla.conf',
    content: '[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root --keep-baud 115200 %I $TERM\n',
  },
  { path: 'etc/systemd/system/flotilla-power.service', content: POWER_BUTTON },
  { path: 'etc/systemd/system/multi-user.target.wants/flotilla-power.service', link: '../flotilla-power.service' },
  { path: 'etc/systemd/system/multi-user.target.wants/systemd-networkd.service', link: '/lib/systemd/system/systemd-networkd.service' },
  ...MASKED.map((unit): OverlayEntry => ({ path: `etc/systemd/system/${unit}`, link: '/dev/null' })),
]

/** PID 1 of the initial RAM disk. Modules lie in the order in which they are loaded. */
const INIT = `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for m in /modules/*; do /bin/busybox insmod $m; done
n=0
until [ -b /dev/vda ] || [ $n = 100 ]; do /bin/busybox usleep 50000; n=$((n + 1)); done
/bin/busybox mount -t ext4 -o rw,noatime /dev/vda /root || exec /bin/busybox sh
exec /bin/busybox switch_root /root /lib/systemd/systemd "$@"
`

export function imageRecipe(architecture: ImageArchitecture): ImageRecipe {
  return {
    architecture,
    suite: 'bookworm',
    packages: [...PACKAGES, `linux-image-cloud-${architecture}`],
    excluded: ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'],
    overlay: OVERLAY,
    init: INIT,
    initModules: ['virtio_pci', 'virtio_blk', 'crc32c_generic', 'ext4'],
    sizeMib: 3072,
  }
}

/** Names an image by what it is made of: the recipe and the programs that lie in it. 16 hexadecimal digits. */
export function recipeDigest(recipe: ImageRecipe, programs: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([1, recipe, programs]))
    .digest('hex')
    .slice(0, 16)
}
