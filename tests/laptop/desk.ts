/**
 * A desktop with the real program on it, and hosts elsewhere that are its nodes over SSH. The hosts belong to nobody on the desktop: they
 * are sandboxes of another owner, which go on whatever happens to the program.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { Node, Pod } from '../../electron/api/core/v1/types.gen.ts'
import type { Machine } from '../../electron/api/infra/v1alpha1/types.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { systemRandom } from '../../electron/base/random.ts'
import { findCondition } from '../../electron/machinery/conditions.ts'
import { sandboxNames } from '../../electron/provision/sandbox/names.ts'
import { Sandboxes, type SandboxInfo } from '../../electron/provision/sandbox/sandbox.ts'
import { newKeyPair } from '../../electron/provision/ssh/keygen.ts'
import { build } from '../../scripts/build.ts'
import { run, until, type Ran } from '../e2e/cluster.ts'

const exec = promisify(execFile)
const FLOTILLA = join(import.meta.dirname, '../../electron/headless/flotilla.ts')
const NODE = join(import.meta.dirname, `../../node_modules/node-linux-${process.arch}/bin/node`)

export interface Ready {
  readonly server: string
  readonly kubeconfig: string
}

export class Desk implements AsyncDisposable {
  readonly stateDir: string
  readonly #dir: string
  readonly #hosts: Sandboxes
  readonly #hostsDir: string
  #child: ChildProcess | null = null
  #ready: Ready | null = null

  private constructor(dir: string, authorizedKey: string, withRuntime: boolean) {
    this.#dir = dir
    this.stateDir = join(dir, 'state')
    this.#hostsDir = join(dir, 'elsewhere')
    const deps = { clock: systemClock, random: systemRandom, authorizedKey, ...(withRuntime ? { runtime: NODE } : {}), egress: false }
    this.#hosts = new Sandboxes({ ...deps, stateDir: this.#hostsDir })
  }

  /** `withRuntime`: hosts have the Node binary already, so that it is not copied to them. */
  static async create({ withRuntime = true } = {}): Promise<Desk> {
    await build(['agent', 'descriptions'])
    const dir = await realpath(await mkdtemp(join(tmpdir(), 'flotilla-desk-')))
    const key = newKeyPair(systemRandom, 'desk')
    await writeFile(join(dir, 'key'), key.privateText, { mode: 0o600 })
    return new Desk(dir, key.publicText, withRuntime)
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** Starts the program; resolves when its API server answers. */
  async open(): Promise<void> {
    const child = spawn(process.execPath, [FLOTILLA, 'serve', '--state', this.stateDir], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.startsWith('{')) continue
      this.#ready = JSON.parse(line) as Ready
      return
    }
    throw new Error('the program ended before it was ready')
  }

  async close(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }

  /** As when the lid is closed: nothing of the program runs, its connections stay as they are. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP')
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  flotilla(...args: string[]): Promise<Ran> {
    return run(process.execPath, [FLOTILLA, ...args, '--state', this.stateDir])
  }

  async kube(...args: string[]): Promise<string> {
    const { code, out, err } = await run('kubectl', ['--kubeconfig', this.#ready?.kubeconfig ?? '', ...args])
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${err}`)
    return out
  }

  async get<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.kube('get', ...args, '-o', 'json')) as T
  }

  async apply(manifest: string): Promise<void> {
    const { code, err } = await run('kubectl', ['--kubeconfig', this.#ready?.kubeconfig ?? '', 'apply', '-f', '-'], { input: manifest })
    if (code !== 0) throw new Error(err)
  }

  get keyFile(): string {
    return join(this.#dir, 'key')
  }

  /** A host that knows nothing of the desktop. */
  makeHost(name: string): Promise<SandboxInfo> {
    return this.#hosts.create(name)
  }

  /** How many bytes went to a host over its network so far. */
  async bytesTo(name: string): Promise<number> {
    const link = sandboxNames(this.#hostsDir).link(name)
    return Number(await readFile(`/sys/class/net/${link}/statistics/tx_bytes`, 'utf8'))
  }

  /** Hosts, and with them nodes of these names in a pool, from a list of them. */
  async addHosts(names: readonly string[], pool: string): Promise<readonly SandboxInfo[]> {
    const hosts = await Promise.all(names.map((name) => this.makeHost(name)))
    const list = join(this.#dir, 'hosts')
    await writeFile(list, ['# elsewhere', ...hosts.map(({ name, address }) => `root@${address}:22 name=${name} pool=${pool}`)].join('\n'))
    const { code, err } = await this.flotilla('node', 'add', '--from', list, '--key', this.keyFile, '--accept-new-host-key')
    if (code !== 0) throw new Error(err)
    return hosts
  }

  /** Everything on the host ends at once, and it starts anew. */
  async powerCut(name: string): Promise<void> {
    await this.#hosts.reboot(name)
  }

  /** A command on the host itself, as root. */
  async onHost(name: string, script: string): Promise<string> {
    const pid = (await readFile(join(sandboxNames(this.#hostsDir).folder(name), 'pid'), 'utf8')).split(' ')[0] ?? ''
    const { stdout } = await exec('nsenter', ['--target', pid, '--all', '/bin/sh', '-c', script])
    return stdout
  }

  machine(name: string): Promise<Machine> {
    return this.get<Machine>('machine', name)
  }

  async isReady(name: string): Promise<boolean> {
    return findCondition((await this.get<Node>('node', name)).status.conditions, 'Ready')?.status === 'True'
  }

  /** The node has given a sign of life since this moment of the clock. */
  async untilHeard(name: string, since: number): Promise<void> {
    await until(`${name} is heard`, async () => {
      const lease = await this.get<{ spec: { renewTime: string } }>('-n', 'kube-node-lease', 'lease', name)
      return Date.parse(lease.spec.renewTime) > since && (await this.isReady(name))
    })
  }

  async pods(selector: string): Promise<readonly Pod[]> {
    return (await this.get<{ items: Pod[] }>('pods', '-l', selector)).items
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child) process.kill(this.pid, 'SIGCONT')
    await this.close('SIGKILL')
    for (const { name } of await this.#hosts.list()) await this.#hosts.remove(name)
    await rm(this.#dir, { recursive: true, force: true })
  }
}

/** What would tell that a pod was evicted, replaced or restarted. */
export function lives(pods: readonly Pod[]): string[] {
  return pods
    .map(
      ({ metadata, spec, status }) =>
        `${metadata.uid} on ${spec.nodeName} ${status.containerStatuses?.map((one) => `${one.containerID} ${one.restartCount}`).join()}`,
    )
    .sort()
}

/** The taints of all nodes that drive pods away. */
export async function driving(desk: Desk): Promise<string[]> {
  const { items } = await desk.get<{ items: Node[] }>('nodes')
  return items.flatMap(({ metadata, spec }) =>
    (spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute').map(({ key }) => `${metadata.name} ${key}`),
  )
}
