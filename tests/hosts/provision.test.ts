/** The provisioner on machines that know nothing of it, up to a stub of the agent that runs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MachineStep } from '../../electron/api/infra/v1alpha1/types.ts'
import { connectEndpoint } from '../../electron/provision/ssh/endpoint.ts'
import { ensureClusterKey } from '../../electron/provision/ssh/keys.ts'
import { USERS } from './lab/base-root.ts'
import { Lab, until } from './lab/lab.ts'
import { CLUSTER, hashOf, labEnvironment, NODE, PLACES, runProvision, type Attempt, type Outcome } from './lab/provisioning.ts'
import type { TestHost } from './lab/test-host.ts'

let lab: Lab
beforeAll(async () => {
  lab = await Lab.create()
})
afterAll(() => lab?.[Symbol.asyncDispose]())

const asRoot: Attempt = { credentials: { password: USERS.root.password } }
const asAna: Attempt = { user: 'ana', credentials: { password: USERS.ana.password } }

function failureOf(outcome: Outcome): [step: string | undefined, error: unknown] {
  return [outcome.steps.find((step) => step.state === 'failed')?.name, outcome.error]
}

function expectReady(outcome: Outcome): void {
  expect(outcome.error).toBeNull()
  expect(outcome.steps.map((step) => [step.name, step.state])).toEqual(
    ['connect', 'preflight', 'key', 'runtime', 'agent', 'configure', 'start', 'images', 'link', 'join'].map((name) => [name, 'done']),
  )
}

/** Everything that a failed run must have left as it was. */
const traces = async (host: TestHost) => ({
  files: await host.files(...PLACES),
  keys: await host.run('cat /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys'),
  processes: (await host.exec(`ps -eo args | grep -E '[c]ontainerd|[f]lotilla'`)).stdout,
})

describe('a machine without systemd', () => {
  let host: TestHost
  beforeAll(async () => {
    host = await lab.host()
  })

  it('is set up over a password, and runs the agent and a containerd of its own', async () => {
    const outcome = await runProvision(lab, host, asRoot)
    expectReady(outcome)
    console.log(`plain host, first time: ${JSON.stringify(outcome.timing)}`)
    expect(outcome.checks.filter((check) => check.state === 'fail')).toEqual([])
    expect(await host.run('cat /run/flotilla/stub-agent')).toMatch(/ v24\.\S+ abcdef\.0123456789abcdef/)
    expect(await host.run('sha256sum < /opt/flotilla/bin/node')).toContain(await hashOf(NODE))
    const config = JSON.parse(await host.run('cat /var/lib/flotilla/agent/config.json')) as object
    expect(config).toMatchObject({
      nodeName: host.name,
      nodeIP: host.address,
      cniBinDir: '/usr/lib/cni',
      serviceManager: 'none',
      containerdSocket: '/run/flotilla/containerd.sock',
    })
    const images = await host.run('ctr -a /run/flotilla/containerd.sock -n k8s.io images list -q')
    expect(images).toContain('flotilla.local/pause:1')
    expect(images).toContain('flotilla.local/demo:1')
    // The token was used once.
    expect((await host.exec('cat /var/lib/flotilla/agent/bootstrap-token')).code).not.toBe(0)
    expect(
      (await host.exec('find /var/lib/flotilla/agent /var/lib/flotilla/containerd.toml -perm /077 -type f ! -name ca.crt')).stdout,
    ).toBe('')
  })

  it('can be set up again at any time, without copying again', async () => {
    const outcome = await runProvision(lab, host, asRoot)
    expectReady(outcome)
    console.log(`plain host, again: ${JSON.stringify(outcome.timing)}`)
    const detail = (name: string) => outcome.steps.find((step) => step.name === name)?.detail
    expect([detail('key'), detail('runtime'), detail('agent')]).toEqual(Array(3).fill('is there already'))
  })

  it('keeps its services alive, and containers over the end of containerd', async () => {
    const pidOf = async (service: string) =>
      (await host.run('/opt/flotilla/bin/flotilla-services status')).match(new RegExp(`${service} running (\\d+)`))?.[1]
    const before = { agent: await pidOf('agent'), containerd: await pidOf('containerd') }
    await host.run('ctr -a /run/flotilla/containerd.sock -n k8s.io run -d --null-io flotilla.local/demo:1 demo')
    await host.run(`kill -9 ${before.agent} ${before.containerd}`)
    await until('both are back', async () => {
      const now = [await pidOf('agent'), await pidOf('containerd')]
      return now.every((pid) => pid !== undefined && pid !== before.agent && pid !== before.containerd)
    })
    await until('containerd answers', async () => (await host.exec('ctr -a /run/flotilla/containerd.sock version')).code === 0)
    expect(await host.run('ctr -a /run/flotilla/containerd.sock -n k8s.io tasks list')).toMatch(/demo +\d+ +RUNNING/)
    // A keeper that was killed does not leave two services behind.
    await host.run(`kill -9 $(cat /run/flotilla/agent.keeper); /opt/flotilla/bin/flotilla-services start`)
    await until('one agent runs', async () => {
      const { stdout } = await host.exec(`pgrep -cf '^/opt/flotilla/bin/node'`)
      return stdout.trim() === '1' && (await host.run('/opt/flotilla/bin/flotilla-services status')).includes('agent running')
    })
  })

  it('refuses another cluster, and another name in the same cluster', async () => {
    const other = await runProvision(lab, host, { ...asRoot, deps: { cluster: { ...CLUSTER, id: 'deadbeef' } } })
    expect(failureOf(other)).toMatchObject([
      'preflight',
      { code: 'PREFLIGHT_FAILED', why: expect.stringContaining('it belongs to another Flotilla') as string },
    ])
    const renamed = await runProvision(lab, host, { ...asRoot, request: { name: 'other' } })
    expect(failureOf(renamed)).toMatchObject([
      'preflight',
      { code: 'PREFLIGHT_FAILED', why: expect.stringContaining(`it is the machine "${host.name}" of this cluster`) as string },
    ])
  })

  it('is clean again after the uninstall script, with containers that ran', async () => {
    expect(await host.exec('/opt/flotilla/bin/flotilla-uninstall')).toMatchObject({ code: 0 })
    expect(
      await host.files('/opt/flotilla', '/var/lib/flotilla', '/run/flotilla', '/run/containerd', '/var/log/flotilla', '/etc/cni'),
    ).toEqual([])
    await until(
      'nothing runs',
      async () => (await host.exec(`ps -eo args | grep -E '[c]ontainerd|[f]lotilla|[/]bin/demo|[s]leep'`)).code === 1,
    )
    expect(await host.run('grep -c flotilla /proc/mounts || true')).toBe('0\n')
  })
})

describe('a machine with systemd', () => {
  let host: TestHost
  beforeAll(async () => {
    host = await lab.host({ systemd: true })
    // A containerd of the user's own, which must not notice anything.
    await host.run('systemctl unmask -q containerd; systemctl enable -q --now containerd')
  })

  it('is set up by a user with a sudo password, beside a containerd of their own', async () => {
    const own = await host.run('systemctl show -p MainPID --value containerd; sha256sum /etc/containerd/* 2>/dev/null; true')
    const outcome = await runProvision(lab, host, asAna)
    expectReady(outcome)
    console.log(`systemd host, first time: ${JSON.stringify(outcome.timing)}`)
    expect(await host.run('systemctl is-active flotilla-containerd flotilla-agent')).toBe('active\nactive\n')
    expect(await host.run('systemctl is-enabled flotilla-containerd flotilla-agent')).toBe('enabled\nenabled\n')
    expect(await host.run('stat -c %U /var/lib/flotilla/link')).toBe('ana\n')
    expect(await host.run('cat /home/ana/.ssh/authorized_keys')).toContain(`flotilla-${CLUSTER.id}`)
    expect(await host.run('systemctl show -p MainPID --value containerd; sha256sum /etc/containerd/* 2>/dev/null; true')).toBe(own)
    expect(await host.run('ctr -n k8s.io images list -q')).toBe('')
  })

  it('has its services back after a crash of each and after a restart of the machine', async () => {
    const main = async (unit: string) => (await host.run(`systemctl show -p MainPID --value ${unit}`)).trim()
    for (const unit of ['flotilla-agent', 'flotilla-containerd']) {
      const before = await main(unit)
      await host.run(`kill -9 ${before}`)
      await until(`${unit} is back`, async () => !['0', before].includes(await main(unit)))
    }
    await host.reboot()
    await until('both run', async () => (await host.exec('systemctl is-active -q flotilla-containerd flotilla-agent')).code === 0)
    await until('containerd answers', async () => (await host.exec('ctr -a /run/flotilla/containerd.sock version')).code === 0)
  })

  it('is clean again after the uninstall script, with the other containerd running on', async () => {
    expect(await host.exec('/opt/flotilla/bin/flotilla-uninstall')).toMatchObject({ code: 0 })
    expect(
      (await host.files('/opt/flotilla', '/var/lib/flotilla', '/run/flotilla', '/var/log/flotilla', '/etc/systemd/system')).filter((f) =>
        f.includes('flotilla'),
      ),
    ).toEqual([])
    expect(await host.run('systemctl is-active containerd')).toBe('active\n')
    expect((await host.exec('systemctl list-units --all | grep flotilla')).stdout).toBe('')
  })
})

describe('a failure', () => {
  let host: TestHost
  let before: Awaited<ReturnType<typeof traces>>
  beforeAll(async () => {
    host = await lab.host({ diskMebibytes: 700 })
    before = await traces(host)
  })
  /** Runs, expects this failure and an untouched machine. */
  const fails = async (attempt: Attempt, step: string, error: object) => {
    const outcome = await runProvision(lab, host, attempt)
    expect(failureOf(outcome)).toMatchObject([step, error])
    expect(await traces(host)).toEqual(before)
  }

  it('of the sign-in or of sudo is told before anything is changed', async () => {
    await fails({ credentials: { password: 'wrong' } }, 'connect', { code: 'SSH_AUTH_FAILED' })
    await fails({ user: 'ana', credentials: { keyFile: lab.keyFile } }, 'preflight', {
      code: 'NO_SUDO',
      why: expect.stringContaining('none was given') as string,
    })
    await fails({ user: 'ana', credentials: { keyFile: lab.keyFile, sudoPassword: 'wrong' } }, 'preflight', { code: 'NO_SUDO' })
    await fails({ user: 'eve', credentials: { password: USERS.eve.password } }, 'preflight', { code: 'NO_SUDO' })
    await fails({ credentials: { keyFile: `${lab.dir}/none` } }, 'connect', { code: 'SSH_KEY_UNUSABLE' })
  })

  it('of preflight names what is wrong and how to mend it', async () => {
    await host.run(
      `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 1, LocalPort => 10250) or die; if (fork) { exit } sleep 1000' >/dev/null 2>&1 </dev/null`,
    )
    await fails(asRoot, 'preflight', { code: 'PREFLIGHT_FAILED', why: 'Ports: tcp 10250 in use.' })
    await host.run('kill $(pgrep -x perl)')
    await host.run('mv /usr/bin/containerd /usr/bin/containerd.off')
    try {
      await fails(asRoot, 'preflight', {
        code: 'NO_CONTAINERD',
        why: 'Missing: containerd.',
        next: expect.stringContaining('apt-get install -y --no-install-recommends containerd') as string,
      })
    } finally {
      await host.run('mv /usr/bin/containerd.off /usr/bin/containerd')
    }
    await host.fill(300)
    await fails(asRoot, 'preflight', { code: 'PREFLIGHT_FAILED', why: expect.stringMatching(/^Disk: \d+ MiB free/) as string })
    await host.run('rm /var/filler')
  })

  /** Cancels or harms at the moment the runtime is being copied; `slow` makes that moment long enough. */
  const whileCopying = (act: () => Promise<void> | void): Attempt => {
    let acted = false
    return {
      ...asRoot,
      async onStep(step: MachineStep) {
        if (acted || step.name !== 'runtime' || !step.detail?.startsWith('copied')) return
        acted = true
        await act()
      },
    }
  }
  const nothingOfTheRuntime = () =>
    until('nothing is left of the copy', async () => JSON.stringify((await traces(host)).files) === JSON.stringify(before.files))

  it('for lack of disk space gives numbers, leaves nothing, and goes on after room was made', async () => {
    const outcome = await runProvision(lab, host, { ...asRoot, beforeCopy: () => host.fill(60) })
    expect(failureOf(outcome)).toMatchObject([
      'runtime',
      { code: 'DISK_FULL', why: expect.stringMatching(/\d+ MiB are free, 121 MiB are needed/) as string },
    ])
    await nothingOfTheRuntime()
    await host.run('rm /var/filler')
  })

  it('by cancelling in the middle of a copy leaves nothing of it', async () => {
    const abort = new AbortController()
    const outcome = await runProvision(lab, host, { ...whileCopying(() => abort.abort()), signal: abort.signal })
    expect(failureOf(outcome)).toMatchObject(['runtime', { code: 'CANCELLED' }])
    await nothingOfTheRuntime()
  })

  it('of the connection in the middle of a copy leaves nothing of it', async () => {
    const outcome = await runProvision(
      lab,
      host,
      whileCopying(async () => void (await host.exec(`kill -9 $(pgrep -f '^sshd: root')`))),
    )
    expect(failureOf(outcome)).toMatchObject(['runtime', { code: 'SSH_CONNECTION_LOST' }])
    // sshd is gone too: the shell that wrote sees the end of its input and clears up.
    await until('the part is gone', async () => !(await host.files('/opt')).some((file) => file.includes('.part.')))
    await host.run('rmdir -p /opt/flotilla/bin 2>/dev/null; true')
  })

  it('of an agent that does not stay up stops the services again and shows its last words', async () => {
    const { writeFile } = await import('node:fs/promises')
    const agent = `${lab.dir}/broken-agent.mjs`
    await writeFile(agent, `console.error('cannot find my shoes'); process.exit(1)\n`)
    const { programs } = { programs: { agent, runtime: () => NODE } }
    const outcome = await runProvision(lab, host, { ...asRoot, deps: { programs } })
    expect(failureOf(outcome)).toMatchObject([
      'start',
      {
        code: 'REMOTE_COMMAND_FAILED',
        what: expect.stringContaining('does not stay up') as string,
        why: expect.stringContaining('cannot find my shoes') as string,
      },
    ])
    await until('nothing runs', async () => (await traces(host)).processes === '')
  })

  it('of any of these kinds does not stand in the way of the next run', async () => {
    expectReady(await runProvision(lab, host, asRoot))
  })
})

describe('the cluster key', () => {
  it('signs in from then on, also through a jump host, and is refused by name where sshd does not take it', async () => {
    const [gate, inner] = [await lab.host(), await lab.host({ sshd: ['AuthorizedKeysFile .ssh/elsewhere'] })]
    const jump = { host: gate.address, port: 22, user: 'eve', hostKey: await gate.hostKey() }
    // The same password for both hops: what a person gives is tried on each.
    await gate.run(`echo eve:${USERS.root.password} | chpasswd`)
    const outcome = await runProvision(lab, inner, { ...asRoot, jump })
    expect(failureOf(outcome)).toMatchObject([
      'key',
      { code: 'SSH_AUTH_FAILED', why: expect.stringContaining('AuthorizedKeysFile') as string },
    ])
    expect(await inner.run('cat /root/.ssh/authorized_keys')).not.toContain('flotilla')
    await inner.run(`sed -i '/elsewhere/d' /etc/ssh/sshd_config; kill -HUP $(pgrep -o -x sshd)`)
    await until('sshd is back', async () => (await inner.exec('ss -Hltn | grep -q :22')).code === 0)
    expectReady(await runProvision(lab, inner, { ...asRoot, jump }))
    const machine = await connectEndpoint(
      { host: inner.address, port: 22, user: 'root', hostKey: await inner.hostKey(), jump },
      { environment: labEnvironment(lab), credentials: { useAgent: false }, ownKey: await ensureClusterKey(`${lab.dir}/state/id`, '') },
    )
    expect((await machine.connection.exec('hostname')).stdout).toBe(`${inner.name}\n`)
    await machine.connection[Symbol.asyncDispose]()
  })
})

describe('installRuntime', () => {
  it('installs what is missing from the packages of the distribution, and does not start what came along', async () => {
    const host = await lab.host({ systemd: true, without: ['containerd', 'runc', 'containernetworking-plugins'] })
    await host.run('systemctl unmask -q containerd; systemctl daemon-reload')
    await host.run(`rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*; mkdir -p /etc/apt/sources.list.d`)
    const nowhere = await runProvision(lab, host, { ...asRoot, request: { installRuntime: true } })
    expect(failureOf(nowhere)).toMatchObject([
      'packages',
      { code: 'NO_CONTAINERD', next: expect.stringContaining('apt-get install') as string },
    ])
    await host.run(`echo 'deb [trusted=yes] file:/srv/packages ./' > /etc/apt/sources.list`)
    const outcome = await runProvision(lab, host, { ...asRoot, request: { installRuntime: true } })
    expect(outcome.error).toBeNull()
    expect(outcome.steps.find((step) => step.name === 'packages')?.detail).toBe('installed containerd runc containernetworking-plugins')
    expect((await host.exec('systemctl is-active containerd')).stdout).toBe('inactive\n')
    expect(await host.run('systemctl is-active flotilla-containerd')).toBe('active\n')
  })
})
