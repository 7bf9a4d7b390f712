import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EtcdMember, freePort } from './member.ts'
import { servePlane, spawnPlane } from './plane-process.ts'

interface Ended {
  readonly code: number | null
  readonly error: string
}

describe('a served plane on an etcd cluster', () => {
  let dir: string
  let member: EtcdMember
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'plane-etcd-'))
    member = new EtcdMember({ dir, port: await freePort(), peerPort: await freePort() })
    await member.start()
  })
  afterAll(async () => {
    await member.kill()
    rmSync(dir, { recursive: true, force: true })
  })

  const start = (state: string) => servePlane(join(dir, state), [member.url])

  async function startBadly(...words: string[]): Promise<Ended> {
    const child = spawnPlane(join(dir, 'bad'), ...words)
    let error = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text))
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, error }
  }

  it('finds everything again after it was killed, also from a state folder whose store is empty', async () => {
    const first = await start('one')
    await first.kubectl('create', 'configmap', 'kept', '--from-literal=answer=42')
    const version = await first.kubectl('get', 'configmap', 'kept', '-o', 'jsonpath={.metadata.uid} {.metadata.resourceVersion}')
    await first.kill()
    rmSync(join(dir, 'one', 'store'), { recursive: true, force: true })
    await using again = await start('one')
    expect(await again.kubectl('get', 'configmap', 'kept', '-o', 'jsonpath={.metadata.uid} {.metadata.resourceVersion}')).toBe(version)
    expect(await again.kubectl('get', 'configmap', 'kept', '-o', 'jsonpath={.data.answer}')).toBe('42')
    expect(await again.kubectl('patch', 'configmap', 'kept', '-p', '{"data":{"answer":"43"}}')).toContain('patched')
  })

  it('remembers where its objects are when it is not told again', async () => {
    const first = await start('remembering')
    await first.kubectl('create', 'configmap', 'remembered', '--from-literal=a=b')
    await first.kill()
    await using again = await servePlane(join(dir, 'remembering'), [])
    expect(await again.kubectl('get', 'configmap', 'remembered', '-o', 'jsonpath={.data.a}')).toBe('b')
  })

  it('shows each of two planes what the other writes, in reads and in watches', async () => {
    await using one = await start('one')
    // Both stand for the same cluster, whose certificates and keys are in the state folder.
    mkdirSync(join(dir, 'two'), { mode: 0o700 })
    cpSync(join(dir, 'one', 'pki'), join(dir, 'two', 'pki'), { recursive: true })
    await using two = await start('two')
    await one.kubectl('create', 'configmap', 'shared', '--from-literal=by=one')
    expect(await two.kubectl('get', 'configmap', 'shared', '-o', 'jsonpath={.data.by}')).toBe('one')
    const seen = one.kubectl('wait', 'configmap/shared', '--for=jsonpath={.data.by}=two', '--timeout=60s')
    await two.kubectl('patch', 'configmap', 'shared', '-p', '{"data":{"by":"two"}}')
    expect(await seen).toContain('condition met')
    await one.kubectl('delete', 'configmap', 'shared')
    await expect(two.kubectl('get', 'configmap', 'shared')).rejects.toThrow('NotFound')
  })

  it('says which member does not answer, and why', async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    const { code, error } = await startBadly('--etcd', url)
    expect(code).toBe(3)
    expect(error).toMatch(/The etcd cluster .* cannot be used\./)
    expect(error).toContain(`${url}: connect ECONNREFUSED`)
  })

  it('refuses what is not the URL of a member, and half a client certificate', async () => {
    expect(await startBadly('--etcd', 'ftp://etcd.example/')).toMatchObject({
      code: 2,
      error: expect.stringContaining('"ftp://etcd.example/"') as string,
    })
    expect(await startBadly('--etcd', member.url, '--etcd-keyfile', 'key.pem')).toMatchObject({ code: 2 })
    expect(await startBadly('--etcd-cafile', 'ca.pem')).toMatchObject({ code: 2, error: expect.stringContaining('--etcd') as string })
  })
})
