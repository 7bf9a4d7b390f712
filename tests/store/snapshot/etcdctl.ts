import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import type { Store } from '../../../electron/store/store.ts'
import { EtcdMember, freePort } from '../etcd/member.ts'

const run = promisify(execFile)

export async function etcdctl(...args: string[]): Promise<string> {
  const { stdout } = await run('/usr/bin/etcdctl', args, { env: { ...process.env, ETCDCTL_API: '3' }, maxBuffer: 64 * 1024 * 1024 })
  return stdout
}

/** What etcd's own tool says of a snapshot, whose every page it checks. */
export async function statusByEtcd(path: string): Promise<{ hash: number; revision: number; totalKey: number; totalSize: number }> {
  return JSON.parse(await etcdctl('snapshot', 'status', path, '-w', 'json')) as never
}

/** A member that begins with a snapshot, not started yet. */
export async function memberFrom(snapshot: string, dir: string): Promise<EtcdMember> {
  const [port, peerPort] = [await freePort(), await freePort()]
  const peerUrl = `http://127.0.0.1:${peerPort}`
  const names = ['--name', 'etcd', '--initial-cluster', `etcd=${peerUrl}`, '--initial-advertise-peer-urls', peerUrl]
  await etcdctl('snapshot', 'restore', snapshot, '--data-dir', join(dir, 'etcd'), ...names)
  return new EtcdMember({ dir, port, peerPort })
}

export async function hashByEtcd(url: string, revision = 0): Promise<number> {
  const answer = await etcdctl('endpoint', 'hashkv', '--endpoints', url, '--rev', String(revision), '-w', 'json')
  return (JSON.parse(answer) as { HashKV: { hash: number } }[])[0]?.HashKV.hash ?? Number.NaN
}

export async function saveTo(store: Store, path: string): Promise<void> {
  await using snapshot = await store.maintenance.snapshot()
  await pipeline(Readable.from(snapshot), createWriteStream(path))
}
