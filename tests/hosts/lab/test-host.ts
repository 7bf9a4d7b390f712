import { execFile, spawn } from 'node:child_process'
import { readdir, readFile, rmdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { groupName, hierarchies } from './host-script.ts'
import { until } from './lab.ts'

const exec = promisify(execFile)

export interface TestHostParts {
  readonly name: string
  /** Its folder on this computer: the overlay's upper folder `rw`, and `var`. */
  readonly dir: string
  readonly address: string
  readonly port: number
  /** The end of its link that is here. */
  readonly link: string
  boot(host: TestHost): Promise<number>
}

export interface Output {
  code: number
  stdout: string
  stderr: string
}

export class TestHost {
  readonly name: string
  readonly dir: string
  readonly address: string
  readonly port: number
  readonly link: string
  readonly #boot: (host: TestHost) => Promise<number>
  #pid: number | null = null

  constructor(parts: TestHostParts) {
    this.name = parts.name
    this.dir = parts.dir
    this.address = parts.address
    this.port = parts.port
    this.link = parts.link
    this.#boot = (host) => parts.boot(host)
  }

  /** "ssh-ed25519 AAAA…" */
  async hostKey(): Promise<string> {
    const text = await readFile(join(this.dir, 'rw/etc/ssh/ssh_host_ed25519_key.pub'), 'utf8')
    return text.split(' ').slice(0, 2).join(' ')
  }

  async start(): Promise<void> {
    if (this.#pid === null) this.#pid = await this.#boot(this)
    await until(`${this.name} answers`, () => answers(this.address, this.port), 60_000)
  }

  /** As when the power goes. */
  async stop(): Promise<void> {
    if (this.#pid === null) return
    const pid = this.#pid
    this.#pid = null
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended by itself.
    }
    await until(`${this.name} is dead`, async () => !(await isAlive(pid)))
    await exec('ip', ['link', 'del', this.link]).catch(() => undefined)
    for (const { mount } of await hierarchies())
      await until(`${mount} is empty`, () => removeGroup(join(mount, groupName(this))).catch(() => false))
  }

  async reboot(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** Takes its network away without telling anyone. */
  async cut(): Promise<void> {
    await exec('ip', ['link', 'set', this.link, 'down'])
  }

  async heal(): Promise<void> {
    await exec('ip', ['link', 'set', this.link, 'up'])
  }

  /** Runs a script as root inside, past its SSH server. */
  async exec(script: string): Promise<Output> {
    const child = spawn('nsenter', ['--target', String(this.#pid), '--all', 'sh', '-c', script], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' },
    })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (exitCode) => resolve(exitCode ?? 255))
    })
    return { code, stdout, stderr }
  }

  /** The same, for scripts that must work; returns what it printed. */
  async run(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.exec(script)
    if (code !== 0) throw new Error(`on ${this.name}: ${script}\nended with ${code}: ${stderr}`)
    return stdout
  }

  /** Every file below these folders that a provisioner could have left, sorted. */
  async files(...folders: string[]): Promise<string[]> {
    const { stdout } = await this.exec(`find ${folders.join(' ')} -xdev 2>/dev/null | sort`)
    return stdout.split('\n').filter(Boolean)
  }

  /** Leaves this many mebibytes free on the disk of `/var`. */
  async fill(leaveMebibytes: number): Promise<void> {
    await this.run(
      `free=$(df -Pm /var | awk 'NR==2{print $4}'); n=$((free - ${leaveMebibytes})); [ $n -le 0 ] || dd if=/dev/zero of=/var/filler bs=1M count=$n 2>/dev/null`,
    )
  }

  async newHostKey(): Promise<void> {
    await this.run(`rm -f /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key`)
    await this.run('kill -HUP $(pgrep -o -x sshd)')
  }
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 })
    const done = (yes: boolean) => {
      socket.destroy()
      resolve(yes)
    }
    socket.once('data', () => done(true))
    socket.once('error', () => done(false))
    socket.once('timeout', () => done(false))
  })
}

async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  return stat !== null && !/\) Z /.test(stat)
}

async function removeGroup(path: string): Promise<boolean> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => null)
  if (!entries) return true
  for (const entry of entries) if (entry.isDirectory()) await removeGroup(join(path, entry.name))
  await rmdir(path)
  return true
}
