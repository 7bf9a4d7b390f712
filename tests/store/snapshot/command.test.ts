import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { createEmbeddedStore } from '../../../electron/store/embedded/embedded-store.ts'
import { write } from '../../../electron/store/testing/subject.ts'
import { servePlane } from '../etcd/plane-process.ts'
import { memberFrom, statusByEtcd } from './etcdctl.ts'

const FLOTILLA = join(import.meta.dirname, '../../../electron/headless/flotilla.ts')

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

async function flotilla(...words: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [FLOTILLA, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close') as Promise<[number | null]>])
  return { code, out, error }
}

async function answer(...words: string[]): Promise<Record<string, unknown>> {
  const { code, out, error } = await flotilla(...words, '--json')
  expect(error).toBe('')
  expect(code).toBe(0)
  return JSON.parse(out) as Record<string, unknown>
}

describe('flotilla snapshot', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'snapshot-command-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))
  const at = (name: string) => join(root, name)
  const state = () => at('state')

  /** A state folder with a store of about so many bytes. */
  async function fill(bytes: number): Promise<void> {
    await using store = await createEmbeddedStore({
      dir: join(state(), 'store'),
      clock: systemClock,
      logger: silentLogger,
      reserveBytes: 4096,
    })
    for (let i = 0; i < bytes; i += 50_000) await write(store, `k${i}`, 'x'.repeat(50_000))
  }

  it('moves a cluster: out of a running plane, into another folder, and into an etcd', async () => {
    const first = await servePlane(state(), [])
    await first.kubectl('create', 'configmap', 'kept', '--from-literal=answer=42')
    const whole = ['get', 'configmap', 'kept', '-o', 'jsonpath={.metadata.uid} {.metadata.resourceVersion} {.data.answer}']
    const kept = await first.kubectl(...whole)
    const running = await answer('snapshot', 'save', at('running'), '--state', state())
    expect(running).toMatchObject({ file: at('running'), stateDir: state(), notIncluded: ['pki', 'ssh', 'cluster.json'] })
    const { hash, revision, totalKey, totalSize } = running
    expect(await statusByEtcd(at('running'))).toEqual({ hash, revision, totalKey, totalSize })
    expect(await answer('snapshot', 'status', at('running'))).toMatchObject({ hash, revision, totalKey, totalSize })
    expect(statSync(at('running')).mode & 0o777).toBe(0o600)
    await first.kubectl('create', 'configmap', 'later', '--from-literal=a=b')
    await first.kill()

    const stopped = await answer('snapshot', 'save', at('stopped'), '--state', state())
    expect(stopped['revision']).toBeGreaterThan(revision as number)

    for (const name of ['moved', 'on-etcd']) {
      mkdirSync(at(name), { mode: 0o700 })
      for (const part of ['pki', 'ssh', 'cluster.json']) cpSync(join(state(), part), join(at(name), part), { recursive: true })
    }
    const restored = await answer('snapshot', 'restore', at('running'), '--state', at('moved'), '--bump-revision', '1000')
    expect(restored).toMatchObject({ revision: 1000 + (revision as number), snapshotRevision: revision, missing: [] })
    {
      await using moved = await servePlane(at('moved'), [])
      expect(await moved.kubectl(...whole)).toBe(kept)
      await expect(moved.kubectl('get', 'configmap', 'later')).rejects.toThrow('NotFound')
      await moved.kubectl('create', 'configmap', 'after', '--from-literal=a=b')
      const version = await moved.kubectl('get', 'configmap', 'after', '-o', 'jsonpath={.metadata.resourceVersion}')
      expect(Number(version)).toBeGreaterThan(1000 + (revision as number))
    }

    await using member = await memberFrom(at('stopped'), root)
    await member.start()
    await using onEtcd = await servePlane(at('on-etcd'), [member.url])
    expect(await onEtcd.kubectl(...whole)).toBe(kept)
    expect(await onEtcd.kubectl('get', 'configmap', 'later', '-o', 'jsonpath={.data.a}')).toBe('b')
    const refused = await flotilla('snapshot', 'restore', at('running'), '--state', at('on-etcd'))
    expect(refused).toMatchObject({ code: 2, error: expect.stringContaining('etcdctl snapshot restore') as string })
    expect((await answer('snapshot', 'save', at('of-etcd'), '--state', at('on-etcd')))['keys']).toBeGreaterThan(10)
  })

  it('says what else a state folder has, and what is missing in one', async () => {
    await fill(1)
    writeFileSync(join(state(), 'cluster.json'), JSON.stringify({ layout: 1, id: 'x', name: 'x', port: null }))
    const saved = await flotilla('snapshot', 'save', at('file'), '--state', state())
    expect(saved).toMatchObject({ code: 0, error: expect.stringContaining('cluster.json') as string })
    const restored = await flotilla('snapshot', 'restore', at('file'), '--state', at('new'))
    expect(restored).toMatchObject({
      code: 0,
      error: expect.stringMatching(/before the first start[^]*pki[^]*ssh[^]*cluster\.json/) as string,
    })
    const again = await flotilla('snapshot', 'restore', at('file'), '--state', at('new'))
    expect(again).toMatchObject({ code: 2, error: expect.stringContaining('There is a store in') as string })
  })

  it('refuses a damaged file, another file and a folder without a cluster, each by name and with its own exit code', async () => {
    await fill(1)
    await flotilla('snapshot', 'save', at('file'), '--state', state())
    const bytes = readFileSync(at('file'))
    bytes[5000] = (bytes[5000] as number) ^ 1
    writeFileSync(at('damaged'), bytes)
    expect(await flotilla('snapshot', 'status', at('damaged'))).toMatchObject({
      code: 4,
      error: expect.stringContaining('SHA-256') as string,
    })
    expect(await flotilla('snapshot', 'restore', at('damaged'), '--state', at('new'))).toMatchObject({ code: 4 })
    expect(await flotilla('snapshot', 'status', FLOTILLA)).toMatchObject({
      code: 4,
      error: expect.stringContaining('no snapshot') as string,
    })
    expect(await flotilla('snapshot', 'status', at('nowhere'))).toMatchObject({
      code: 2,
      error: expect.stringContaining('ENOENT') as string,
    })
    expect(await flotilla('snapshot', 'save', at('x'), '--state', at('nowhere'))).toMatchObject({ code: 2 })
    expect(readdirSync(root).sort()).toEqual(['damaged', 'file', 'state'])
  })

  it('leaves nothing on a disk that is too small, and keeps the snapshot that was there', async () => {
    await fill(2_000_000)
    const disk = at('disk')
    mkdirSync(disk)
    execFileSync('/usr/bin/mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk])
    try {
      writeFileSync(join(disk, 'file'), 'the last one')
      const saved = await flotilla('snapshot', 'save', join(disk, 'file'), '--state', state())
      expect(saved).toMatchObject({ code: 5, error: expect.stringContaining('disk is full') as string })
      expect(readdirSync(disk)).toEqual(['file'])
      expect(readFileSync(join(disk, 'file'), 'utf8')).toBe('the last one')
      await flotilla('snapshot', 'save', at('file'), '--state', state())
      const restored = await flotilla('snapshot', 'restore', at('file'), '--state', join(disk, 'new'))
      expect(restored).toMatchObject({ code: 5, error: expect.stringContaining('full') as string })
      expect(readdirSync(disk)).toEqual(['file'])
    } finally {
      execFileSync('/usr/bin/umount', [disk])
    }
  })
})
