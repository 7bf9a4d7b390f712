/** The distribution's packages that a node needs, and the command that installs them. */

export interface Requirement {
  /** What is missed, as people call it. */
  readonly name: string
  /** Any of these files shows that it is there. */
  readonly files: readonly string[]
  readonly packages: Readonly<Record<PackageManager, string>>
}

export type PackageManager = 'apt-get' | 'dnf' | 'zypper' | 'pacman' | 'apk'

const same = (name: string): Record<PackageManager, string> => ({ 'apt-get': name, dnf: name, zypper: name, pacman: name, apk: name })

/** Where distributions put the standard CNI plugins, in the order in which they are looked for. */
export const CNI_DIRS: readonly string[] = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni']

const program = (name: string): string[] =>
  ['/usr/local/bin', '/usr/local/sbin', '/usr/bin', '/usr/sbin', '/bin', '/sbin'].map((dir) => `${dir}/${name}`)

/** What a worker needs from its distribution. */
export const WORKER_REQUIREMENTS: readonly Requirement[] = [
  { name: 'containerd', files: program('containerd'), packages: same('containerd') },
  { name: 'runc', files: program('runc'), packages: same('runc') },
  {
    name: 'CNI plugins',
    files: CNI_DIRS.map((dir) => `${dir}/bridge`),
    packages: {
      ...same('containernetworking-plugins'),
      zypper: 'cni-plugins',
      pacman: 'cni-plugins',
      apk: 'cni-plugins',
    },
  },
  { name: 'nftables', files: program('nft'), packages: same('nftables') },
  { name: 'iproute2', files: program('ip'), packages: { ...same('iproute2'), dnf: 'iproute' } },
]

/** What this computer needs beyond that for machines of its own. */
export const SANDBOX_REQUIREMENTS: readonly Requirement[] = [
  ...WORKER_REQUIREMENTS,
  { name: 'OpenSSH server', files: program('sshd'), packages: { ...same('openssh-server'), zypper: 'openssh', pacman: 'openssh' } },
  { name: 'util-linux', files: program('unshare'), packages: same('util-linux') },
]

/** By the program that is there; the first that matches is the system's own. */
export const PACKAGE_MANAGERS: readonly PackageManager[] = ['apt-get', 'dnf', 'zypper', 'pacman', 'apk']

/** One shell command that installs these, as it is shown to people and run. */
export function installCommand(manager: PackageManager, requirements: readonly Requirement[]): string {
  const names = [...new Set(requirements.map((requirement) => requirement.packages[manager]))].join(' ')
  switch (manager) {
    case 'apt-get':
      return `apt-get update && apt-get install -y --no-install-recommends ${names}`
    case 'dnf':
      return `dnf install -y ${names}`
    case 'zypper':
      return `zypper --non-interactive install ${names}`
    case 'pacman':
      return `pacman -S --noconfirm ${names}`
    case 'apk':
      return `apk add ${names}`
  }
}
