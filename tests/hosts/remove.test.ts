/** Taking everything off a machine again, by its agent or as root. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../electron/base/clock.ts'
import { connectEndpoint } from '../../electron/provision/ssh/endpoint.ts'
import { ensureClusterKey } from '../../electron/provision/ssh/keys.ts'
import { removeFrom, type AgentTls } from '../../electron/provision/steps/remove.ts'
import { USERS } from './lab/base-root.ts'
import { Lab, until } from './lab/lab.ts'
import { CLUSTER, labEnvironment, NODE, runProvision } from './lab/provisioning.ts'
import type { TestHost } from './lab/test-host.ts'

const exec = promisify(execFile)
let lab: Lab
beforeAll(async () => {
  lab = await Lab.create()
})
afterAll(() => lab?.[Symbol.asyncDispose]())

const PLACES = ['/opt/flotilla', '/var/lib/flotilla', '/run/flotilla', '/var/log/flotilla', '/etc/cni', '/run/containerd']

async function remove(host: TestHost, options: { user: string; tls?: AgentTls; sudoPassword?: string; owner?: string }): Promise<string[]> {
  const clusterKey = await ensureClusterKey(join(lab.dir, 'state/id'), 'flotilla')
  const endpoint = { host: host.address, port: 22, user: options.user, hostKey: await host.hostKey() }
  const signal = AbortSignal.timeout(120_000)
  const { connection } = await connectEndpoint(endpoint, {
    environment: labEnvironment(lab),
    credentials: { useAgent: false },
    ownKey: clusterKey,
    signal,
  })
  await using _ = connection
  const details: string[] = []
  await removeFrom(connection, null, {
    name: host.name,
    owner: options.owner ?? `${CLUSTER.id} ${host.name}`,
    clock: systemClock,
    signal,
    clusterKey,
    ...(options.tls ? { tls: options.tls } : {}),
    sudoPassword: options.sudoPassword,
    uninstallScript: await readFile(join(import.meta.dirname, '../../resources/units/flotilla-uninstall'), 'utf8'),
    detail: (text) => details.push(text),
  })
  return details
}

/** A CA, a certificate of the agent, and one by which the agent knows the control plane. */
async function certificates(dir: string, name: string): Promise<{ ca: string; agent: { cert: string; key: string }; tls: AgentTls }> {
  const openssl = (...args: string[]) => exec('openssl', args, { cwd: dir })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  await openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=lab', '-days', '2')
  for (const subject of [name, 'plane']) {
    await openssl('req', ...newKey, '-keyout', `${subject}.key`, '-out', `${subject}.csr`, '-subj', `/CN=${subject}`)
    await openssl(
      'x509',
      '-req',
      '-in',
      `${subject}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      `${subject}.crt`,
      '-days',
      '2',
    )
  }
  const read = (file: string) => readFile(join(dir, file), 'utf8')
  const ca = await read('ca.crt')
  return {
    ca,
    agent: { cert: await read(`${name}.crt`), key: await read(`${name}.key`) },
    tls: { ca, cert: await read('plane.crt'), key: await read('plane.key') },
  }
}

describe('removal', () => {
  it.each([true, false])('by the agent needs nobody’s password (systemd: %s)', async (systemd) => {
    const host = await lab.host({ systemd })
    const { ca, agent, tls } = await certificates(host.dir, host.name)
    await host.run('mkdir -p /var/lib/lab')
    await writeFile(join(host.dir, 'var/lib/lab/agent.crt'), agent.cert)
    await writeFile(join(host.dir, 'var/lib/lab/agent.key'), agent.key)
    const outcome = await runProvision(lab, host, {
      user: 'ana',
      credentials: { password: USERS.ana.password },
      deps: {
        cluster: { ...CLUSTER, caPem: ca },
        programs: { agent: join(import.meta.dirname, 'lab/uninstalling-agent.mjs'), runtime: () => NODE },
      },
    })
    expect(outcome.error).toBeNull()
    await host.run('ctr -a /run/flotilla/containerd.sock -n k8s.io run -d --null-io flotilla.local/demo:1 demo')
    const begun = performance.now()
    expect(await remove(host, { user: 'ana', tls })).toEqual(['asking the agent to clean up', "removing Flotilla's key"])
    console.log(`removed by the agent in ${Math.round(performance.now() - begun)} ms`)
    expect(await host.files(...PLACES)).toEqual([])
    // The script itself looks once more whether anything is left, and ends.
    await until('nothing runs', async () => (await host.exec(`ps -eo args | grep -E '[f]lotilla|[/]bin/demo'`)).stdout === '')
    expect(await host.run('cat /home/ana/.ssh/authorized_keys')).not.toContain('flotilla')
  })

  it('goes on as root where the agent does not answer, and wants a right to', async () => {
    const host = await lab.host()
    expect((await runProvision(lab, host, { user: 'ana', credentials: { password: USERS.ana.password } })).error).toBeNull()
    const { tls } = await certificates(host.dir, host.name)
    // The stub answers without TLS.
    await expect(remove(host, { user: 'ana', tls })).rejects.toMatchObject({ code: 'NO_SUDO' })
    expect(await remove(host, { user: 'ana', tls, sudoPassword: USERS.ana.password })).toEqual([
      'asking the agent to clean up',
      'cleaning up as root',
      "removing Flotilla's key",
    ])
    expect(await host.files(...PLACES)).toEqual([])
    // Once more finds nothing to do, and nothing to complain of; but the key is gone.
    await expect(remove(host, { user: 'ana' })).rejects.toMatchObject({ code: 'SSH_AUTH_FAILED' })
  })

  it('leaves alone what belongs to another cluster by now, and removes what was only half set up', async () => {
    const host = await lab.host()
    expect((await runProvision(lab, host, { credentials: { password: USERS.root.password } })).error).toBeNull()
    expect(await remove(host, { user: 'root', owner: 'deadbeef moth' })).toEqual(["removing Flotilla's key"])
    expect(await host.files('/opt/flotilla/bin/node')).toEqual(['/opt/flotilla/bin/node'])
    expect((await runProvision(lab, host, { credentials: { password: USERS.root.password } })).error).toBeNull()
    await host.run('rm -r /var/lib/flotilla/agent /opt/flotilla/bin/flotilla-uninstall')
    await remove(host, { user: 'root' })
    expect(await host.files(...PLACES)).toEqual([])
  })

  it('never removes what a user mounted into a pod', async () => {
    const host = await lab.host()
    expect((await runProvision(lab, host, { credentials: { password: USERS.root.password } })).error).toBeNull()
    // A volume on the same file system that cannot be unmounted: its mount point is hidden under another mount.
    await host.run(
      `mkdir -p /srv/precious /var/lib/flotilla/agent/pods/1/volume && echo mine > /srv/precious/file &&
       mount --bind /srv/precious /var/lib/flotilla/agent/pods/1/volume && mount -t tmpfs none /var/lib/flotilla/agent/pods/1`,
    )
    await remove(host, { user: 'root' })
    expect(await host.run('cat /srv/precious/file')).toBe('mine\n')
    expect(await host.files(...PLACES)).toEqual([])
  })
})
