import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PlaneInfo, ServedEtcd } from '../../../electron/plane/config.ts'
import { spawnPlane } from '../etcd/plane-process.ts'
import { Etcdctl } from './etcdctl.ts'

interface Plane extends AsyncDisposable {
  readonly info: PlaneInfo
  kubectl(...args: string[]): Promise<string>
}

async function start(state: string, ...words: string[]): Promise<Plane> {
  const child = spawnPlane(state, ...words)
  const exited = once(child, 'exit')
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  for await (const line of createInterface(child.stdout)) {
    const info = JSON.parse(line) as PlaneInfo
    return {
      info,
      kubectl: async (...args) => (await promisify(execFile)('kubectl', ['--kubeconfig', info.kubeconfig, ...args])).stdout,
      async [Symbol.asyncDispose]() {
        child.kill('SIGTERM')
        await exited
      },
    }
  }
  throw new Error(`the plane did not start: ${said}`)
}

describe('a plane that serves its store to etcd’s clients', () => {
  let dir: string
  let plane: Plane
  let etcd: ServedEtcd
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'plane-face-'))
    plane = await start(join(dir, 'one'), '--serve-etcd', '0')
    if (!plane.info.etcd) throw new Error('the plane does not say where its store is served')
    etcd = plane.info.etcd
  })
  afterAll(async () => {
    await plane[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true, force: true })
  })

  const trusting = () => `--cacert=${etcd.caFile}`
  const etcdctl = () => new Etcdctl(etcd.url, trusting(), `--cert=${etcd.certFile}`, `--key=${etcd.keyFile}`)

  it('shows them the cluster’s objects as they are stored, and their changes', async () => {
    expect(etcd.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    expect(await etcdctl().ok('get', '/registry/namespaces/', '--prefix', '--keys-only')).toContain('/registry/namespaces/default')
    await using watch = etcdctl().start('watch', '/registry/configmaps/default/', '--prefix')
    await expect
      .poll(async () => {
        await plane.kubectl('create', 'configmap', `seen-${watch.lines.length}`).catch(() => undefined)
        return watch.lines.join('\n')
      })
      .toContain('/registry/configmaps/default/seen-0')
    expect((await etcdctl().run(['endpoint', 'health'])).code).toBe(0)
    expect(await etcdctl().ok('member', 'list')).toContain(etcd.url)
  })

  it('lets nobody in without a client certificate, nor without trust in the server’s', async () => {
    const quick = '--dial-timeout=3s'
    const { code, error } = await new Etcdctl(etcd.url, trusting(), quick, '--command-timeout=3s').run(['get', 'a'])
    expect([code, error]).toEqual([1, expect.stringMatching(/deadline|certificate/)])
    const bare = await new Etcdctl(etcd.url.replace('https', 'http'), quick, '--command-timeout=3s').run(['get', 'a'])
    expect(bare.code).toBe(1)
    expect(statSync(etcd.keyFile).mode & 0o777).toBe(0o600)
  })

  it('refuses those of the cluster who may not do everything, as its nodes', async () => {
    const openssl = (...args: string[]) => execFileSync('/usr/bin/openssl', args, { cwd: dir, stdio: 'ignore' })
    const ca = join(dir, 'one/pki/ca')
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/O=system:nodes/CN=system:node:a',
      '-keyout', 'node.key', '-out', 'node.csr') // prettier-ignore
    writeFileSync(join(dir, 'extensions'), 'extendedKeyUsage=clientAuth\n')
    openssl('x509', '-req', '-in', 'node.csr', '-CA', `${ca}.crt`, '-CAkey', `${ca}.key`, '-set_serial', '1', '-extfile', 'extensions',
      '-out', 'node.crt') // prettier-ignore
    const node = new Etcdctl(etcd.url, trusting(), `--cert=${join(dir, 'node.crt')}`, `--key=${join(dir, 'node.key')}`)
    expect(await node.refusal('get', '/registry/secrets/', '--prefix')).toBe('Error: etcdserver: permission denied')
    expect(await node.refusal('put', '/registry/x', '1')).toBe('Error: etcdserver: permission denied')
  })

  it('is the etcd of a second plane, and each shows what the other writes', async () => {
    // Both stand for the same cluster, whose certificates and keys are in the state folder.
    const state = join(dir, 'two')
    mkdirSync(state, { mode: 0o700 })
    cpSync(join(dir, 'one/pki'), join(state, 'pki'), { recursive: true })
    const tls = ['--etcd-cafile', etcd.caFile, '--etcd-certfile', etcd.certFile, '--etcd-keyfile', etcd.keyFile]
    await using second = await start(state, '--etcd', etcd.url, ...tls)
    expect(second.info.etcd).toBe(undefined)
    await plane.kubectl('create', 'configmap', 'shared', '--from-literal=by=first')
    expect(await second.kubectl('get', 'configmap', 'shared', '-o', 'jsonpath={.data.by}')).toBe('first')
    const seen = plane.kubectl('wait', 'configmap/shared', '--for=jsonpath={.data.by}=second', '--timeout=60s')
    await second.kubectl('patch', 'configmap', 'shared', '-p', '{"data":{"by":"second"}}')
    expect(await seen).toContain('condition met')
  })
})
