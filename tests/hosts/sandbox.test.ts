/** Light nodes on this computer, with real namespaces. */
import { execFile, spawn } from 'node:child_process'
import { access, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock, type Clock } from '../../electron/base/clock.ts'
import { systemRandom } from '../../electron/base/random.ts'
import { hierarchies } from '../../electron/provision/sandbox/cgroups.ts'
import { sandboxNames } from '../../electron/provision/sandbox/names.ts'
import { Sandboxes, type SandboxInfo } from '../../electron/provision/sandbox/sandbox.ts'
import { connect } from '../../electron/provision/ssh/connection.ts'
import { requireKey } from '../../electron/provision/ssh/host-key.ts'
import { ensureClusterKey, type PrivateKey } from '../../electron/provision/ssh/keys.ts'
import { until } from './lab/lab.ts'
import { NODE } from './lab/provisioning.ts'

const exec = promisify(execFile)
let key: PrivateKey
let dirs: string[] = []
let base: string

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'sandboxes-')))
  key = await ensureClusterKey(join(base, 'id'), 'test')
})
afterEach(async () => {
  for (const dir of dirs) {
    const all = open(dir)
    for (const { name } of await all.list()) await all.remove(name)
  }
  dirs = []
})
afterAll(() => rm(base, { recursive: true }))

async function stateDir(name = 'state'): Promise<string> {
  const dir = await mkdtemp(join(base, `${name}-`))
  dirs.push(dir)
  return dir
}
const open = (dir: string, more: { egress?: boolean; clock?: Clock } = {}) =>
  new Sandboxes({
    stateDir: dir,
    clock: systemClock,
    random: systemRandom,
    authorizedKey: key.publicText,
    runtime: NODE,
    egress: false,
    ...more,
  })

async function run(sandbox: SandboxInfo, script: string): Promise<string> {
  await using connection = await connect({
    host: sandbox.address,
    port: 22,
    user: 'root',
    signIn: { keys: [key] },
    hostKeys: [requireKey(sandbox.hostKey)],
    clock: systemClock,
  })
  const { stdout, stderr } = await connection.exec(script)
  return stdout + stderr
}

/** Everything of a state that this computer could still hold. */
async function traces(dir: string): Promise<string[]> {
  const names = sandboxNames(dir)
  const found: string[] = []
  const mounts = await readFile('/proc/self/mountinfo', 'utf8')
  if (mounts.includes(dir)) found.push('mounts')
  const { stdout: links } = await exec('ip', ['-o', 'link'])
  for (const link of [names.bridge, names.link('one'), names.link('two')]) if (links.includes(link)) found.push(link)
  for (const { mount } of await hierarchies())
    await access(join(mount, names.cgroup)).then(
      () => found.push(join(mount, names.cgroup)),
      () => undefined,
    )
  for (const pid of await readdir('/proc')) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (command.includes(dir) || command.includes(names.cgroup)) found.push(`process ${pid}`)
  }
  const { stdout: tables } = await exec('nft', ['list', 'tables'])
  if (tables.includes(names.table)) found.push('nftables')
  return [...found, ...(await readdir(dir))]
}

describe('sandboxes', () => {
  it('come up side by side within seconds, each for itself', async () => {
    const dir = await stateDir('with space')
    const all = open(dir)
    const begun = performance.now()
    const [one, two] = await Promise.all([all.create('one', { memoryBytes: 512 << 20 }), all.create('two')])
    const took = performance.now() - begun
    console.log(`two sandboxes up in ${Math.round(took)} ms`)
    expect(took).toBeLessThan(10_000)
    expect(await run(one, 'hostname; id -u; cat /proc/1/cmdline | tr "\\0" " "')).toBe('one\n0\n/bin/sh /etc/flotilla-init ')
    expect(await run(one, `ip -4 -o addr show eth0; ls /proc | grep -c '^[0-9]*$'`)).toContain(`${one.address}/24`)
    // They reach each other, and nothing of this computer but its programs.
    expect(await run(one, `bash -c 'exec 3<>/dev/tcp/${two.address}/22; head -c 7 <&3'`)).toContain('SSH-2.0')
    const foreign = await run(
      one,
      `ls -d ${dir} /work /home/* 2>/dev/null; touch /usr/x /bin/x /etc/ssl/certs/x; echo 1 > /proc/sys/kernel/panic`,
    )
    expect(foreign.match(/Read-only file system/g)).toHaveLength(4)
    expect(foreign).not.toContain(base)
    expect(await run(one, 'cut -d: -f1,2 /etc/shadow; ls -A /root')).toBe('root:*\nsshd:!\nnobody:!\n.profile\n.ssh\n')
    expect(await run(one, 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max')).toBe(
      `${512 << 20}\n`,
    )
    expect(await run(two, '/opt/flotilla/bin/node --version')).toBe(`${process.version.startsWith('v24') ? process.version : 'v24'}\n`)
    expect(await run(one, 'echo 1 > /proc/sys/net/ipv4/ip_forward && cat /proc/sys/net/ipv4/ip_forward')).toBe('1\n')
    for (const namespace of ['net', 'mnt', 'pid', 'uts', 'ipc', 'cgroup']) {
      const inside = await run(one, `readlink /proc/1/ns/${namespace}`)
      const { stdout: here } = await exec('readlink', [`/proc/self/ns/${namespace}`])
      expect(inside).not.toBe(here)
    }
  })

  it('let a memory limit be felt inside only', async () => {
    const all = open(await stateDir())
    const one = await all.create('one', { memoryBytes: 128 << 20 })
    expect(await run(one, 'head -c 300m /dev/zero | tail > /dev/null; echo $?')).toMatch(/Killed|137|1/)
    expect((await all.get('one'))?.running).toBe(true)
  })

  it('outlive a killed owner, are found again by their folder, and leave no trace when removed', async () => {
    const dir = await stateDir()
    const owner = spawn(process.execPath, [join(import.meta.dirname, 'lab/sandbox-owner.ts'), dir, key.publicText], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const line = await createInterface({ input: owner.stdout })[Symbol.asyncIterator]().next()
    const made = JSON.parse(line.value as string) as SandboxInfo[]
    const gone = new Promise((resolve) => owner.on('exit', resolve))
    owner.kill('SIGKILL')
    await gone
    const all = open(dir)
    const found = await all.list()
    expect(found.map(({ name, address, running }) => ({ name, address, running })).sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
      made.map(({ name, address }) => ({ name, address, running: true })),
    )
    await run(made[0] as SandboxInfo, 'echo kept > /root/file; (setsid sleep 1000 &) >/dev/null 2>&1')
    // Starting one that runs changes nothing.
    await all.start('one')
    expect(await run(made[0] as SandboxInfo, 'cat /root/file; pgrep -c sleep')).toBe('kept\n1\n')
    const begun = performance.now()
    await all.remove('one')
    await all.remove('two')
    console.log(`two sandboxes removed in ${Math.round(performance.now() - begun)} ms`)
    expect(await traces(dir)).toEqual([])
  })

  it('are left without a trace by the uninstall script, which gives back the runtime that they were lent', async () => {
    const one = await open(await stateDir()).create('one')
    const script = await readFile(join(import.meta.dirname, '../../resources/units/flotilla-uninstall'), 'base64')
    const place = '/opt/flotilla/bin/flotilla-uninstall'
    // The script ends processes by the words of their command lines: its text must not be among those.
    const said = await run(one, `echo ${script} | base64 -d > ${place}; sh ${place}; echo "code $?"`)
    expect(said).toContain('code 0')
    expect(said).not.toContain('still')
    expect(await run(one, `ls /opt; grep -c flotilla/bin /proc/mounts`)).toBe('0\n')
    expect((await stat(NODE)).size).toBeGreaterThan(1 << 20)
  })

  it('survive a cut of power with their files, and are known to be down before', async () => {
    const dir = await stateDir()
    const all = open(dir)
    const one = await all.create('one')
    await run(one, 'echo kept > /var/lib/file; echo lost > /tmp/file')
    await all.stop('one')
    expect(await all.list()).toMatchObject([{ name: 'one', running: false }])
    // Also where only the process died, as after a restart of this computer.
    const again = await all.start('one')
    expect(again).toMatchObject({ address: one.address, hostKey: one.hostKey })
    expect(await run(again, 'cat /var/lib/file /tmp/file 2>&1')).toBe('kept\ncat: /tmp/file: No such file or directory\n')
    await exec('ip', ['link', 'del', sandboxNames(dir).bridge])
    await all.reboot('one')
    expect(await run(again, 'echo up')).toBe('up\n')
  })

  it('end at their own reboot command, and can be started again', async () => {
    const all = open(await stateDir())
    const one = await all.create('one')
    await run(one, 'reboot -f >/dev/null 2>&1 & kill -TERM 1').catch(() => '')
    await until('it is down', async () => (await all.get('one'))?.running === false)
    expect(await run(await all.start('one'), 'echo up')).toBe('up\n')
  })

  it('of two states share this computer without meeting', async () => {
    const [a, b] = [open(await stateDir('a')), open(await stateDir('b'))]
    const [mine, theirs] = await Promise.all([a.create('one'), b.create('one')])
    expect(mine.address.split('.')[2]).not.toBe(theirs.address.split('.')[2])
    await a.remove('one')
    expect(await run(theirs, 'hostname')).toBe('one\n')
  })

  it('are not taken for another process of the same number', async () => {
    const dir = await stateDir()
    const all = open(dir)
    await all.create('one')
    const file = join(sandboxNames(dir).folder('one'), 'pid')
    const [pid, start] = (await readFile(file, 'utf8')).split(' ')
    await writeFile(file, `${process.pid} ${start} 00000000-0000-0000-0000-000000000000\n`)
    expect((await all.get('one'))?.running).toBe(false)
    process.kill(Number(pid), 'SIGKILL')
    await all.stop('one')
    expect(process.pid).toBeGreaterThan(0)
  })

  it('reach other networks by translation only where that is asked for', async () => {
    const dir = await stateDir()
    const before = (await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8')).trim()
    const one = await open(dir, { egress: true }).create('one')
    try {
      const { stdout } = await exec('nft', ['list', 'table', 'ip', sandboxNames(dir).table])
      expect(stdout).toContain(`ip saddr ${one.address.replace(/\.\d+$/, '.0')}/24 oifname != "${sandboxNames(dir).bridge}" masquerade`)
    } finally {
      await open(dir).remove('one')
      await writeFile('/proc/sys/net/ipv4/ip_forward', before)
    }
    expect(await traces(dir)).toEqual([])
  })

  it('that run but cannot be reached are told from those whose SSH server does not start', async () => {
    const dir = await stateDir()
    const one = await open(dir).create('one')
    // The patience passes at twenty times the speed.
    const impatient = open(dir, { clock: { ...systemClock, monotonic: () => systemClock.monotonic() * 20 } })
    const table = `test-${process.pid}`
    await exec('nft', ['add', 'table', 'ip', table])
    await exec('nft', ['add', 'chain', 'ip', table, 'out', '{ type filter hook output priority 0; }'])
    await exec('nft', ['add', 'rule', 'ip', table, 'out', 'ip', 'daddr', one.address, 'drop'])
    try {
      await expect(impatient.start('one')).rejects.toMatchObject({
        code: 'SSH_UNREACHABLE',
        why: `It runs, but the network between it and this computer is cut: nothing comes back from ${one.address}.`,
      })
    } finally {
      await exec('nft', ['delete', 'table', 'ip', table])
    }
    await run(one, 'echo Nonsense yes >> /etc/ssh/sshd_config; kill $(pgrep -o -x sshd); sleep 0.2')
    await expect(impatient.start('one')).rejects.toMatchObject({ code: 'INTERNAL', why: expect.stringContaining('Nonsense') as string })
  })

  it('that cannot come up say why and leave nothing', async () => {
    const dir = await stateDir()
    const all = new Sandboxes({
      stateDir: dir,
      clock: systemClock,
      random: systemRandom,
      authorizedKey: key.publicText,
      runtime: '/no/such/node',
    })
    await expect(all.create('one')).rejects.toMatchObject({ code: 'INTERNAL', why: expect.stringContaining('/no/such/node') as string })
    expect(await traces(dir)).toEqual([])
    await expect(all.start('one')).rejects.toMatchObject({ code: 'MACHINE_NOT_FOUND' })
  })
})
