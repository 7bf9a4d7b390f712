import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EtcdMember, freePort } from './member.ts'
import { type Served, servePlane } from './plane-process.ts'

describe('two planes on one etcd', () => {
  let dir: string
  let etcd: EtcdMember
  let first: Served
  let second: Served
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'two-planes-'))
    etcd = new EtcdMember({ dir, port: await freePort(), peerPort: await freePort() })
    await etcd.start()
    first = await servePlane(join(dir, 'first'), [etcd.url])
    cpSync(join(dir, 'first', 'pki'), join(dir, 'second', 'pki'), { recursive: true })
    second = await servePlane(join(dir, 'second'), [etcd.url])
  })
  afterAll(async () => {
    await second[Symbol.asyncDispose]()
    await etcd.kill()
    rmSync(dir, { recursive: true, force: true })
  })

  const holders = async () => {
    const path = 'jsonpath={range .items[*]}{.metadata.name}={.spec.holderIdentity} {end}'
    const leases = await second.kubectl('get', 'leases', '-n', 'kube-system', '-o', path)
    return Object.fromEntries(
      leases
        .trim()
        .split(' ')
        .map((lease) => lease.split('=')),
    )
  }
  const replicas = async (name: string) => (await second.kubectl('get', 'pods', '-l', `app=${name}`, '-o', 'name')).split('\n').length - 1

  it('share the work of one, which the other takes over when that is killed', async () => {
    await second.kubectl('create', 'deployment', 'before', '--image=none', '--replicas=3')
    await expect.poll(() => replicas('before'), { timeout: 30_000 }).toBe(3)
    const before = await holders()
    expect(Object.keys(before).sort()).toEqual(['kube-controller-manager', 'kube-scheduler'])

    await first.kill()
    await second.kubectl('create', 'deployment', 'after', '--image=none', '--replicas=2')
    await expect.poll(() => replicas('after'), { timeout: 120_000, interval: 500 }).toBe(2)
    const after = await holders()
    expect(after['kube-controller-manager']).not.toBe(before['kube-controller-manager'])
    await expect
      .poll(async () => (await holders())['kube-scheduler'], { timeout: 120_000, interval: 500 })
      .not.toBe(before['kube-scheduler'])
    const events = await second.kubectl('get', 'events', '-n', 'kube-system', '-o', 'jsonpath={.items[*].reason}')
    expect(events).toContain('LeaderElection')
  })
})
