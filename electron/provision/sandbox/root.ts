/** The root of a sandbox: folders of its own, and an `/etc` that knows nothing of this computer's users. */
import { chmod, lstat, mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '../../base/errors.ts'

/** This system's programs, shared read-only: those of these that exist. Links among them (`/bin -> usr/bin`) become links. */
const SHARED_TREES = ['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'opt/cni', 'nix/store']

/** What in `/etc` describes this system's programs and must stay in step with them. */
const SHARED_ETC = [
  'alternatives',
  'crypto-policies',
  'iproute2',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'pki/ca-trust',
  'pki/tls/certs',
  'protocols',
  'services',
  'ssl/certs',
  'ssl/openssl.cnf',
]

/** Folders that are its own. What must not be on a mount of memory lies in `var`. */
const FOLDERS: readonly [path: string, mode: number][] = [
  ['dev', 0o755],
  ['etc/ssh', 0o755],
  ['home', 0o755],
  ['mnt', 0o755],
  ['opt', 0o755],
  ['proc', 0o555],
  ['root', 0o700],
  ['root/.ssh', 0o700],
  ['run', 0o755],
  ['srv', 0o755],
  ['sys', 0o555],
  ['tmp', 0o1777],
  ['var/cache', 0o755],
  ['var/lib', 0o755],
  ['var/log', 0o755],
  ['var/tmp', 0o1777],
]

export interface RootOptions {
  readonly name: string
  readonly address: string
  /** The public key that may sign in as root: "ssh-ed25519 AAAA… comment". */
  readonly authorizedKey: string
  /** An OpenSSH private key. */
  readonly hostKey: string
  /** 32 hexadecimal digits. */
  readonly machineId: string
  /** Text of resolv.conf. */
  readonly resolvConf: string
  /** A login shell that exists on this system. */
  readonly shell: string
}

/** Files that are written on each start, by their path below the root. */
export function rootFiles(options: RootOptions): Record<string, { mode: number; content: string }> {
  const text = (content: string, mode = 0o644) => ({ mode, content })
  return {
    'etc/passwd': text(
      `root:x:0:0:root:/root:${options.shell}\n` +
        'sshd:x:74:74:sshd:/run/sshd:/usr/sbin/nologin\n' +
        'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
    ),
    'etc/group': text('root:x:0:\ntty:x:5:\nsshd:x:74:\nnogroup:x:65534:\n'),
    'etc/shadow': text('root:*:19000:0:99999:7:::\nsshd:!:19000::::::\nnobody:!:19000::::::\n', 0o600),
    'etc/nsswitch.conf': text('passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n'),
    'etc/hostname': text(`${options.name}\n`),
    'etc/hosts': text(`127.0.0.1 localhost\n::1 localhost\n${options.address} ${options.name}\n`),
    'etc/resolv.conf': text(options.resolvConf),
    'etc/machine-id': text(`${options.machineId}\n`, 0o444),
    'etc/profile': text('export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n'),
    'etc/ssh/ssh_host_ed25519_key': text(options.hostKey, 0o600),
    'etc/ssh/sshd_config': text(SSHD_CONFIG),
    'root/.ssh/authorized_keys': text(`${options.authorizedKey}\n`, 0o600),
    'root/.profile': text("PS1='\\u@\\h:\\w\\$ '\n"),
  }
}

const SSHD_CONFIG = `HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
UseDNS no
PidFile none
PrintMotd no
AllowTcpForwarding yes
MaxSessions 200
MaxStartups 100
ClientAliveInterval 15
ClientAliveCountMax 3
Subsystem sftp internal-sftp
`

/** What of this system is mounted into a sandbox: paths without their leading slash. */
export interface SharedPaths {
  /** Mounted as they are. */
  readonly binds: readonly string[]
  /** Of `binds`, those that are folders. */
  readonly folders: ReadonlySet<string>
  readonly links: readonly { readonly path: string; readonly target: string }[]
}

/** Looks at this system. */
export async function sharedPaths(): Promise<SharedPaths> {
  const binds: string[] = []
  const folders = new Set<string>()
  const links: { path: string; target: string }[] = []
  for (const path of [...SHARED_TREES, ...SHARED_ETC.map((name) => `etc/${name}`)]) {
    const found = await lstat(`/${path}`).catch(() => null)
    if (found?.isSymbolicLink()) links.push({ path, target: await readlink(`/${path}`) })
    else if (found?.isDirectory() || found?.isFile()) {
      binds.push(path)
      if (found.isDirectory()) folders.add(path)
    }
  }
  const release = await readlink('/etc/os-release').catch(() => '../usr/lib/os-release')
  links.push({ path: 'etc/os-release', target: release })
  return { binds, folders, links }
}

/** Makes or completes the folder; nothing may be mounted in it. */
export async function makeRoot(root: string, options: RootOptions, shared: SharedPaths): Promise<void> {
  await mkdir(root, { recursive: true, mode: 0o755 })
  for (const [path, mode] of FOLDERS) {
    await mkdir(join(root, path), { recursive: true })
    await chmod(join(root, path), mode)
  }
  for (const path of shared.binds) await makeMountPoint(join(root, path), shared.folders.has(path))
  for (const { path, target } of [
    ...shared.links,
    { path: 'var/run', target: '/run' },
    { path: 'etc/mtab', target: '/proc/self/mounts' },
  ]) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await symlink(target, join(root, path)).catch(ignore('EEXIST'))
  }
  for (const [path, { mode, content }] of Object.entries(rootFiles(options))) {
    await writeFile(join(root, path), content)
    await chmod(join(root, path), mode)
  }
}

export async function makeMountPoint(path: string, folder: boolean): Promise<void> {
  await mkdir(folder ? path : dirname(path), { recursive: true })
  if (!folder) await writeFile(path, '', { flag: 'wx' }).catch(ignore('EEXIST'))
}

/** This computer's name servers as a sandbox can reach them: not the stub that listens on loopback only. */
export async function resolvConf(): Promise<string> {
  for (const path of ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']) {
    const text = await readFile(path, 'utf8').catch(() => '')
    const lines = text.split('\n').filter((line) => /^(nameserver|search|options)\s/.test(line) && !/^nameserver\s+(127\.|::1)/.test(line))
    if (lines.some((line) => line.startsWith('nameserver'))) return `${lines.join('\n')}\n`
  }
  return ''
}

function ignore(code: string): (error: unknown) => void {
  return (error) => {
    if (systemCode(error) !== code) throw error
  }
}
