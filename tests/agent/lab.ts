/** A containerd of our own in a scratch folder, with the images that tests use and a private pod network. */
import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sleep, systemClock } from '../../electron/base/clock.ts'
import { systemCode } from '../../electron/base/errors.ts'
import { CriClient } from '../../electron/agent/runtime/cri-client.ts'
import { imageArchive } from '../../electron/provision/images/archive.ts'
import type { ImageEntry } from '../../electron/provision/images/archive.ts'
import { findBusybox } from '../../electron/provision/images/busybox.ts'
import { pauseArchive } from '../../electron/provision/images/pause-image.ts'
import type { RootShell } from '../../electron/provision/ssh/sudo.ts'
import { containerdConfig } from '../../electron/provision/steps/containerd-config.ts'
import { gatherFacts } from '../../electron/provision/steps/facts.ts'

export const BUSYBOX_IMAGE = 'flotilla.local/busybox:1'
const run = promisify(execFile)
const CNI_PLUGINS = '/usr/lib/cni'
const THIS_MACHINE: RootShell = {
  mode: 'root',
  exec: async (script) => ({ ...(await run('sh', ['-c', script])), code: 0 }),
}
const ARCH = process.arch === 'arm64' ? 'arm64' : 'amd64'

const APPLETS =
  'sh ash awk base64 basename cat chgrp chmod chown cp cut date dd df dirname du echo env expr false find free grep head hexdump hostname ' +
  'httpd id ip kill less ln ls md5sum mkdir mkfifo mktemp mount mv nc nproc od printenv printf ps pwd readlink realpath rm rmdir sed seq ' +
  'sha256sum sleep sort stat stty sync tail tee test timeout top touch tr true tty umount uname uniq usleep vi wc which whoami xargs yes'

export interface Lab extends AsyncDisposable {
  readonly dir: string
  readonly socket: string
  readonly cri: CriClient
  readonly cniBinDir: string
  readonly cniConfDir: string
  /** Absolute in the cgroup tree, of its own for each lab. */
  readonly cgroupRoot: string
  importImage(archive: Uint8Array): Promise<void>
  /** kill -9, then starts it again; containers live on. */
  restartContainerd(): Promise<void>
}

/** The network is up unless `network` is false, as on a node whose CNI configuration has not been written yet. */
export async function openLab(options: { network?: boolean } = {}): Promise<Lab> {
  const dir = await mkdtemp('/var/tmp/flotilla-agent-')
  await using undo = new AsyncDisposableStack()
  undo.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }))
  const cgroupRoot = `/flotilla-test-${randomInt(1e9)}`
  undo.defer(() => removeCgroups(cgroupRoot))

  const cniConfDir = join(dir, 'cni')
  const socket = join(dir, 'c.sock')
  const paths = {
    containerdRoot: join(dir, 'containerd'),
    containerdState: join(dir, 'state'),
    containerdSocket: socket,
    runcRoot: join(dir, 'runc'),
    registries: join(dir, 'registries'),
    cniConfig: cniConfDir,
  }
  await mkdir(cniConfDir)
  if (options.network !== false) undo.use(await writeNetwork(cniConfDir, dir))
  const configFile = join(dir, 'containerd.toml')
  await writeFile(configFile, containerdConfig({ cniDir: CNI_PLUGINS, ...(await gatherFacts(THIS_MACHINE, '')) }, paths))

  let containerd = startContainerd(configFile)
  undo.defer(() => stop(containerd))
  undo.defer(() => endContainers(dir))
  const cri = undo.use(new CriClient(socket, systemClock))
  await untilAnswering(cri)

  const importImage = async (archive: Uint8Array) => {
    const file = join(dir, `image-${randomInt(1e9)}.tar`)
    await writeFile(file, archive)
    await run('ctr', ['-a', socket, '-n', 'k8s.io', 'images', 'import', file])
    await rm(file)
  }
  await importImage(await pauseArchive())
  await importImage(await busyboxArchive(BUSYBOX_IMAGE))
  const cleanup = undo.move()
  return {
    dir,
    socket,
    cri,
    cniBinDir: CNI_PLUGINS,
    cniConfDir,
    cgroupRoot,
    importImage,
    async restartContainerd() {
      containerd.kill('SIGKILL')
      await new Promise((resolve) => containerd.once('exit', resolve))
      containerd = startContainerd(configFile)
      await untilAnswering(cri)
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  }
}

/** A static busybox with its applets; `entrypoint` by default `sh`. */
export async function busyboxArchive(
  name: string,
  more: { entries?: readonly ImageEntry[]; entrypoint?: readonly string[]; user?: string; env?: readonly string[] } = {},
): Promise<Uint8Array> {
  const busybox = await findBusybox(ARCH)
  if (!busybox) throw new Error('these tests need a static busybox (Debian: busybox-static)')
  const entries: ImageEntry[] = [
    { path: 'bin/busybox', mode: 0o755, content: busybox },
    ...APPLETS.split(' ').map((applet) => ({ path: `bin/${applet}`, link: 'busybox' })),
    { path: 'etc/passwd', mode: 0o644, content: 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n' },
    { path: 'etc/group', mode: 0o644, content: 'root:x:0:\nuser:x:1000:\n' },
    { path: 'tmp', directory: true, mode: 0o1777 },
    ...(more.entries ?? []),
  ]
  const { user, env } = more
  const image = {
    architecture: ARCH,
    entries,
    entrypoint: more.entrypoint ?? ['/bin/sh'],
    ...(user ? { user } : {}),
    ...(env ? { env } : {}),
  } as const
  return imageArchive(name, [image])
}

async function writeNetwork(confDir: string, dir: string): Promise<AsyncDisposable> {
  const bridge = `fa${randomInt(0xffffff).toString(16)}`
  const subnet = `10.${randomInt(100, 240)}.${randomInt(256)}.0/24`
  const conf = {
    cniVersion: '1.0.0',
    name: bridge,
    plugins: [
      {
        type: 'bridge',
        bridge,
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: { type: 'host-local', dataDir: join(dir, 'ipam'), ranges: [[{ subnet }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  }
  await writeFile(join(confDir, '10-flotilla.conflist'), JSON.stringify(conf))
  return {
    async [Symbol.asyncDispose]() {
      await run('ip', ['link', 'del', bridge]).catch(() => undefined)
    },
  }
}

function startContainerd(configFile: string) {
  return spawn('containerd', ['--config', configFile, '--log-level', 'error'], { stdio: 'ignore', detached: true })
}

async function stop(child: ReturnType<typeof startContainerd>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exited
}

/** Ends the shims that this containerd left, and what they run, by their ids; unmounts what lies in the folder. */
async function endContainers(dir: string): Promise<void> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const shims: string[] = []
  for (const pid of pids) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (command.includes('containerd-shim') && command.includes(join(dir, 'c.sock'))) shims.push(pid)
  }
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]
    if (parent !== undefined && shims.includes(parent)) end(pid)
  }
  for (const pid of shims) end(pid)
  await sleep(systemClock, 100)
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '')
  for (const mount of mounts.filter((path) => path.startsWith(dir)).reverse()) await run('umount', ['-l', mount]).catch(() => undefined)
}

function end(pid: string): void {
  try {
    process.kill(Number(pid), 'SIGKILL')
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error
  }
}

async function untilAnswering(cri: CriClient): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return void (await cri.version())
    } catch (error) {
      if (attempt > 100) throw error
      await sleep(systemClock, 100)
    }
  }
}

async function removeCgroups(root: string): Promise<void> {
  const top = '/sys/fs/cgroup'
  const hierarchies = [top, ...(await readdir(top)).map((name) => join(top, name))]
  for (const hierarchy of hierarchies) {
    const found = await run('find', [join(hierarchy, root), '-depth', '-type', 'd']).catch(() => null)
    for (const group of found?.stdout.trim().split('\n') ?? []) if (group) await run('rmdir', [group]).catch(() => undefined)
  }
}
