/**
 * Machines to try the provisioner on, which know nothing of it: each with namespaces of its own, a Debian root as an overlay, its own
 * sshd, and either a shell or systemd as PID 1. They hang on one bridge that leads nowhere else.
 */
import { execFile, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { baseRoot } from './base-root.ts'
import { hostScript } from './host-script.ts'
import { TestHost } from './test-host.ts'

const exec = promisify(execFile)

export interface HostOptions {
  /** systemd as PID 1 instead of a shell. */
  readonly systemd?: boolean
  /** Packages to take out of the system. */
  readonly without?: readonly string[]
  /** Mebibytes of `/var` and `/opt`, which are then memory; absent: the real disk. */
  readonly diskMebibytes?: number
  /** Lines to put first into sshd_config. */
  readonly sshd?: readonly string[]
  readonly port?: number
}

export class Lab implements AsyncDisposable {
  readonly dir: string
  readonly bridge: string
  /** "10.213.7": the network is this, with 24 bits. */
  readonly prefix: string
  readonly #base: string
  readonly #hosts: TestHost[] = []
  #count = 0

  private constructor(dir: string, bridge: string, prefix: string, base: string) {
    this.dir = dir
    this.bridge = bridge
    this.prefix = prefix
    this.#base = base
  }

  static async create(): Promise<Lab> {
    const base = await baseRoot()
    const dir = await realpath(await mkdtemp(join(tmpdir(), 'lab-')))
    const bridge = `lab${randomBytes(4).toString('hex')}`
    await exec('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', join(dir, 'key')])
    const { stdout: routes } = await exec('ip', ['-4', 'route', 'show', 'table', 'all'])
    for (;;) {
      const prefix = `10.${randomInt(200, 250)}.${randomInt(0, 256)}`
      if (routes.includes(` ${prefix}.`) || routes.includes(`${prefix}.0/24`)) continue
      await exec('ip', ['link', 'add', bridge, 'type', 'bridge'])
      await exec('ip', ['addr', 'add', `${prefix}.1/24`, 'dev', bridge])
      await exec('ip', ['link', 'set', bridge, 'up'])
      return new Lab(dir, bridge, prefix, base)
    }
  }

  /** A private key file that every user of every host accepts. */
  get keyFile(): string {
    return join(this.dir, 'key')
  }

  /** A host whose SSH server answers. */
  async host(options: HostOptions = {}): Promise<TestHost> {
    const number = ++this.#count
    const name = `host${number}`
    const dir = join(this.dir, name)
    await mkdir(join(dir, 'rw'), { recursive: true })
    for (const folder of ['work', 'root']) await mkdir(join(dir, folder))
    await cp(join(this.#base, 'var'), join(dir, 'var'), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
    const host = new TestHost({
      name,
      dir,
      address: `${this.prefix}.${9 + number}`,
      port: options.port ?? 22,
      link: `${this.bridge.slice(0, 11)}h${number}`,
      boot: (self) => this.#boot(self, options),
    })
    this.#hosts.push(host)
    await host.start()
    if (options.without?.length) await host.run(`dpkg --purge --force-all ${options.without.join(' ')} >/dev/null 2>&1`)
    return host
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.stop()))
    await exec('ip', ['link', 'del', this.bridge])
    const mounts = await readFile('/proc/self/mountinfo', 'utf8')
    if (mounts.includes(` ${this.dir}/`)) throw new Error(`something is still mounted in ${this.dir}`)
    await rm(this.dir, { recursive: true })
  }

  async #boot(host: TestHost, options: HostOptions): Promise<number> {
    const script = await hostScript({
      name: host.name,
      dir: host.dir,
      base: this.#base,
      address: host.address,
      port: host.port,
      systemd: options.systemd ?? false,
      diskMebibytes: options.diskMebibytes ?? null,
      sshd: options.sshd ?? [],
      authorizedKey: (await readFile(`${this.keyFile}.pub`, 'utf8')).trim(),
    })
    await writeFile(join(host.dir, 'boot.sh'), script)
    const child = spawn('/bin/sh', [join(host.dir, 'boot.sh')], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] },
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    for await (const line of createInterface({ input: child.stdout })) {
      const pid = /^pid (\d+)$/.exec(line)?.[1]
      if (!pid) {
        said += `${line}\n`
        continue
      }
      child.unref()
      child.stdout.destroy()
      await this.#wire(host, pid)
      return Number(pid)
    }
    throw new Error(`${host.name} did not boot: ${said}`)
  }

  async #wire(host: TestHost, pid: string): Promise<void> {
    await exec('ip', ['link', 'del', host.link]).catch(() => undefined)
    // The same after a restart, as a network card's: neighbours would look for the old one for half a minute.
    const mac = `02:00:${host.address
      .split('.')
      .map((part) => Number(part).toString(16).padStart(2, '0'))
      .join(':')}`
    await exec('ip', ['link', 'add', host.link, 'type', 'veth', 'peer', 'name', 'eth0', 'address', mac, 'netns', pid])
    await exec('ip', ['link', 'set', host.link, 'master', this.bridge, 'up'])
    const inside = (...args: string[]) => exec('nsenter', ['--target', pid, '--net', 'ip', ...args])
    await inside('link', 'set', 'lo', 'up')
    await inside('addr', 'add', `${host.address}/24`, 'dev', 'eth0')
    await inside('link', 'set', 'eth0', 'up')
    await inside('route', 'add', 'default', 'via', `${this.prefix}.1`)
  }
}

/** Calls `check` until it says yes. */
export async function until(what: string, check: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await delay(30)
  }
}
