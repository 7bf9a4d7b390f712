/** One row of the matrix: an SSH server with a configuration, what a person gives, and what must come of it. */
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import type { ErrorCode } from '../../../electron/base/errors.ts'
import { systemClock } from '../../../electron/base/clock.ts'
import { systemRandom } from '../../../electron/base/random.ts'
import { connectEndpoint, type Credentials, type Endpoint, type SshEnvironment } from '../../../electron/provision/ssh/endpoint.ts'
import { KnownHosts } from '../../../electron/provision/ssh/known-hosts.ts'
import type { RootMode } from '../../../electron/provision/ssh/sudo.ts'
import { upload } from '../../../electron/provision/ssh/transfer.ts'
import { inspect } from '../../../electron/provision/steps/provision.ts'
import { writeFiles } from '../../../electron/provision/steps/write-files.ts'
import type { Lab } from '../lab/lab.ts'
import { startSshServer, type SshServer } from '../lab/ssh-server.ts'
import type { TestHost } from '../lab/test-host.ts'

export const exec = promisify(execFile)

/** What all rows share. */
export interface Site {
  readonly lab: Lab
  readonly host: TestHost
  /** Stand between this computer and the host. */
  readonly gate: TestHost
  readonly second: TestHost
  /** Keys by name, all of which every user of every host accepts: ed25519, rsa, … */
  readonly key: (name: string) => string
}

/** A row as it is being tried. */
export interface Trial extends Site {
  readonly port: number
  /** "10.213.7.10:2001", as messages have it. */
  readonly place: string
  readonly home: string
  readonly knownHosts: string
  readonly server: SshServer
  /** Of the host: "ssh-ed25519 AAAA…". */
  readonly hostKey: string
}

export interface Expected {
  readonly code: ErrorCode
  readonly what: string
  readonly why: string
  readonly next: string
}

export interface Run {
  /** "ana" if absent. */
  readonly user?: string
  /** The key "ed25519" if absent. */
  give?(trial: Trial): Credentials | Promise<Credentials>
  /** The user's ssh_config. */
  config?(trial: Trial): string
  /** The host's key is pinned if absent. */
  readonly endpoint?: (trial: Trial) => Partial<Endpoint> | Promise<Partial<Endpoint>>
  /** `SSH_AUTH_SOCK`. */
  agent?(trial: Trial): string
  /** Done here, before it is tried. */
  before?(trial: Trial): Promise<void>
  /** How root is reached; "sudo" if absent, null if it is not asked for. */
  readonly root?: RootMode | null
  /** Done with a machine that was reached. */
  check?(trial: Trial, machine: Awaited<ReturnType<typeof connectEndpoint>>): Promise<void>
}

export interface Row extends Run {
  readonly name: string
  /** Lines of sshd_config. */
  readonly sshd?: readonly string[]
  /** Run as root on the host before and after. */
  readonly prepare?: string
  readonly clear?: string
  /** The first run fails with this, word for word. */
  fails?(trial: Trial): Expected | Promise<Expected>
  /** What mends it, as root on the host; the second run completes. */
  readonly mend?: string
  /** What is other in the second run. */
  readonly then?: Run
}

let next = 2000

export async function tryRow(site: Site, row: Row): Promise<void> {
  const port = ++next
  const { host, lab } = site
  if (row.prepare) await host.run(row.prepare)
  await using server = await startSshServer(host, port, row.sshd ?? [])
  const home = join(lab.dir, `home-${port}`)
  await mkdir(join(home, '.ssh'), { recursive: true })
  const trial: Trial = {
    ...site,
    ...{ port, home, server, place: `${host.address}:${port}`, hostKey: await host.hostKey() },
    knownHosts: join(home, '.ssh/known_hosts'),
  }
  try {
    if (row.fails) {
      const error: unknown = await reach(trial, row).then(
        () => 'it did not fail',
        (reason: unknown) => reason,
      )
      const { code, what, why, next: then } = await row.fails(trial)
      expect(error).toMatchObject({ code, what, why, next: then })
      if (row.mend)
        await host.run(row.mend.replaceAll('$CONF', `/run/lab-sshd-${port}.conf`).replaceAll('$PID', `/run/lab-sshd-${port}.pid`))
    }
    if (!row.fails || row.mend || row.then) await reach(trial, { ...row, ...(row.fails ? row.then : {}) })
  } finally {
    if (row.clear) await host.run(row.clear)
  }
}

/** Signs in, finds root, looks at the machine as the first steps of a join do, and puts a small and a larger file there. */
async function reach(trial: Trial, run: Run): Promise<void> {
  const { host, port, home } = trial
  await run.before?.(trial)
  await writeFile(join(home, '.ssh/config'), run.config?.(trial) ?? '')
  const agentSocket = run.agent?.(trial)
  const environment: SshEnvironment = {
    home,
    localUser: 'tester',
    configFile: join(home, '.ssh/config'),
    knownHosts: new KnownHosts({ own: join(home, 'own'), others: [trial.knownHosts] }),
    clock: systemClock,
    ...(agentSocket === undefined ? {} : { agentSocket }),
  }
  const usual = { host: host.address, port, user: run.user ?? 'ana', hostKey: trial.hostKey }
  const endpoint: Endpoint = { ...usual, ...(await run.endpoint?.(trial)) }
  const credentials = (await run.give?.(trial)) ?? { keyFile: trial.key('ed25519') }
  const signal = AbortSignal.timeout(60_000)
  const machine = await connectEndpoint(endpoint, { environment, credentials, signal })
  await using connection = machine.connection
  if (run.root === null) {
    expect((await connection.exec('hostname', { signal })).stdout).toBe(`${host.name}\n`)
  } else {
    const sudoPassword = credentials.sudoPassword ?? credentials.password
    const options = { clock: systemClock, random: systemRandom, sudoPassword, installRuntime: false, owner: 'lab matrix', signal }
    const found = await inspect(host.address, machine, options)
    if (found.error) throw found.error
    const { root } = found.target
    expect(root.mode).toBe(run.root ?? 'sudo')
    const dir = `/var/lib/matrix-${port}`
    const [small, large] = ["it's small\n", randomBytes(200_000)]
    const sha256 = createHash('sha256').update(large).digest('hex')
    await writeFiles(root, [{ path: `${dir}/small`, mode: 0o600, content: small }], signal)
    const source = { content: large, size: large.length, unpackedSize: large.length, sha256 }
    await upload(root, source, `${dir}/large`, 'matrix', { mode: 0o640, owner: 'root:root', signal })
    const script = `cd ${dir} && stat -c '%n %a %U' small large && cat small && sha256sum < large; ls; rm -r ${dir}`
    expect(await host.run(script)).toBe(`small 600 root\nlarge 640 root\n${small}${sha256}  -\nlarge\nsmall\n`)
  }
  await run.check?.(trial, machine)
}
