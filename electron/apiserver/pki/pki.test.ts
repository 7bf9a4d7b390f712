import { X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import * as x509 from '../../machinery/x509.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock, type Clock } from '../../base/clock.ts'
import { FlotillaError } from '../../base/errors.ts'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { systemRandom } from '../../base/random.ts'
import { ADMIN, createPki, type Pki } from './pki.ts'

const DAY = 24 * 3600_000
let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flotilla-pki-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const pkiIn = (at: string, clock: Clock = systemClock, names: string[] = []): Pki =>
  createPki({
    dir: at,
    clock,
    random: systemRandom,
    logger: silentLogger,
    clusterDomain: 'cluster.local',
    serviceAddress: '10.96.0.1',
    names,
  })

async function csr(subject: string, names: string[] = []): Promise<x509.Pkcs10CertificateRequest> {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const extensions = names.length ? [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'ip' as const, value })))] : []
  return x509.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys,
    extensions,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  })
}

describe('a cluster PKI', () => {
  it('is made once, readable by the owner only, and is the same after a restart', async () => {
    const at = join(dir, 'pki')
    await using first = pkiIn(at)
    await first.start()
    const { caPem, serviceAccountKeys } = first
    expect((await readdir(at)).sort()).toEqual(['ca.crt', 'ca.key', 'sa.key'])
    expect(await readdir(dir)).toEqual(['pki'])
    for (const name of await readdir(at)) expect((await stat(join(at, name))).mode & 0o777).toBe(0o600)
    await using second = pkiIn(at)
    await second.start()
    expect(second.caPem).toBe(caPem)
    expect(second.serviceAccountKeys.id).toBe(serviceAccountKeys.id)
    const ca = new X509Certificate(caPem)
    expect(ca.ca).toBe(true)
    expect(Math.round((ca.validToDate.getTime() - Date.now()) / DAY)).toBe(3650)
  })

  it('takes over an empty folder', async () => {
    await using pki = pkiIn(dir)
    await pki.start()
    expect((await readdir(dir)).length).toBe(3)
  })

  it.each([
    ['ca.crt', 'not a certificate'],
    ['ca.key', 'not a key'],
    ['sa.key', ''],
  ])('refuses a damaged %s by name', async (name, text) => {
    const at = join(dir, 'pki')
    await using pki = pkiIn(at)
    await pki.start()
    await writeFile(join(at, name), text)
    await using again = pkiIn(at)
    const error: unknown = await again.start().catch((e: unknown) => e)
    expect(error).toBeInstanceOf(FlotillaError)
    expect(error).toMatchObject({ code: 'STATE_UNREADABLE' })
    expect((error as Error).message).toContain(join(at, name))
  })

  it('refuses a missing file rather than make another authority', async () => {
    const at = join(dir, 'pki')
    await using pki = pkiIn(at)
    await pki.start()
    await unlink(join(at, 'ca.key'))
    await using again = pkiIn(at)
    await expect(again.start()).rejects.toMatchObject({ code: 'STATE_UNREADABLE', what: expect.stringContaining('ca.key') as string })
    expect((await readdir(at)).sort()).toEqual(['ca.crt', 'sa.key'])
  })

  it("refuses another cluster's key beside this certificate", async () => {
    await using one = pkiIn(join(dir, 'one'))
    await using two = pkiIn(join(dir, 'two'))
    await one.start()
    await two.start()
    await writeFile(join(dir, 'one', 'ca.key'), await readFile(join(dir, 'two', 'ca.key')))
    await using again = pkiIn(join(dir, 'one'))
    await expect(again.start()).rejects.toMatchObject({
      code: 'STATE_UNREADABLE',
      why: expect.stringContaining('another certificate') as string,
    })
  })

  it('refuses a leaf certificate in the place of the authority', async () => {
    const at = join(dir, 'pki')
    await using pki = pkiIn(at)
    await pki.start()
    await writeFile(join(at, 'ca.crt'), pki.serving.current.cert)
    await using again = pkiIn(at)
    await expect(again.start()).rejects.toMatchObject({ code: 'STATE_UNREADABLE', why: expect.stringContaining('not of a cert') as string })
  })
})

describe('the serving certificate', () => {
  it('names every way to the API server', async () => {
    await using pki = pkiIn(join(dir, 'pki'), systemClock, ['plane.example', '192.0.2.7'])
    await pki.start()
    const cert = new X509Certificate(pki.serving.current.cert)
    for (const name of [
      'localhost',
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
      'plane.example',
    ])
      expect(cert.checkHost(name), name).toBe(name)
    for (const address of ['127.0.0.1', '::1', '10.96.0.1', '192.0.2.7']) expect(cert.checkIP(address), address).toBe(address)
    expect(cert.verify(new X509Certificate(pki.caPem).publicKey)).toBe(true)
  })

  it('is replaced before it expires, also when the computer slept through the date', async () => {
    const clock = new FakeClock()
    await using pki = pkiIn(join(dir, 'pki'), clock)
    await pki.start()
    const first = pki.serving.current.cert
    const seen: string[] = []
    using _listener = pki.serving.onChange((pair) => seen.push(pair.cert))
    await clock.advance(3600_000)
    expect(seen).toEqual([])
    clock.jump(300 * DAY)
    await clock.advance(600_000)
    await expect.poll(() => seen.length).toBe(1)
    expect(seen[0]).not.toBe(first)
    expect(new X509Certificate(pki.serving.current.cert).validToDate.getTime()).toBeGreaterThan(clock.now() + 364 * DAY)
  })

  it('is replaced when the names change, and only then', async () => {
    await using pki = pkiIn(join(dir, 'pki'), systemClock, ['a.example'])
    await pki.start()
    const first = pki.serving.current
    await pki.setNames(['a.example'])
    expect(pki.serving.current).toBe(first)
    await pki.setNames(['b.example'])
    const cert = new X509Certificate(pki.serving.current.cert)
    expect(cert.checkHost('b.example')).toBe('b.example')
    expect(cert.checkHost('a.example')).toBeUndefined()
  })

  it('stops looking at the clock when disposed', async () => {
    const clock = new FakeClock()
    const pki = pkiIn(join(dir, 'pki'), clock)
    await pki.start()
    await pki[Symbol.asyncDispose]()
    await settle()
    expect(clock.pending).toBe(0)
  })
})

describe('client certificates', () => {
  it('say who the client is, and TLS verifies both ends', async () => {
    await using pki = pkiIn(join(dir, 'pki'))
    await pki.start()
    const client = await pki.issueClient(ADMIN)
    const server = createServer({ ...pki.serving.current, ca: pki.caPem, requestCert: true, rejectUnauthorized: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const seen = once(server, 'secureConnection') as Promise<[TLSSocket]>
    const socket = connect({
      port: (server.address() as AddressInfo).port,
      host: '127.0.0.1',
      servername: 'kubernetes.default.svc',
      ca: pki.caPem,
      ...client,
    })
    await once(socket, 'secureConnect')
    const [peer] = await seen
    expect(peer.authorized).toBe(true)
    expect(peer.getPeerCertificate().subject).toMatchObject({ CN: 'kubernetes-admin', O: 'system:masters' })
    expect(socket.authorized).toBe(true)
    socket.destroy()
    peer.destroy()
    server.close()
  })

  it('keep characters that have a meaning in distinguished names', async () => {
    await using pki = pkiIn(join(dir, 'pki'))
    await pki.start()
    const { cert } = await pki.issueClient({ commonName: 'a,b=c+d"e', organizations: ['x, y', 'system:nodes'] })
    const name = new x509.X509Certificate(cert).subjectName
    expect(name.getField('CN')).toEqual(['a,b=c+d"e'])
    expect(name.getField('O')).toEqual(['x, y', 'system:nodes'])
  })
})

describe('the signer', () => {
  it('takes subject, key and names from the request and nothing else', async () => {
    await using pki = pkiIn(join(dir, 'pki'))
    await pki.start()
    const request = await csr('O=system:nodes, CN=system:node:moth', ['192.0.2.9'])
    const pem = await pki.signer.sign(request.toString('pem'), { usages: ['digital signature', 'client auth', 'server auth'] })
    const cert = new X509Certificate(pem)
    expect(cert.verify(new X509Certificate(pki.caPem).publicKey)).toBe(true)
    expect(cert.subject.split('\n')).toEqual(['O=system:nodes', 'CN=system:node:moth'])
    expect(cert.subjectAltName).toBe('IP Address:192.0.2.9')
    expect(cert.ca).toBe(false)
    expect(cert.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1'])
  })

  it.each([
    [60, 600],
    [3600, 3600],
    [10 * 365 * 86400, 365 * 86400],
    [undefined, 365 * 86400],
  ])('asked for %s seconds it signs for %i', async (asked, given) => {
    const clock = new FakeClock()
    await using pki = pkiIn(join(dir, 'pki'), clock)
    await pki.start()
    const pem = await pki.signer.sign((await csr('CN=x')).toString('pem'), { usages: ['client auth'], expirationSeconds: asked })
    expect((new X509Certificate(pem).validToDate.getTime() - clock.now()) / 1000).toBe(given)
  })

  it('makes certificates that TLS takes, whatever the usages are', async () => {
    const pki = pkiIn(dir)
    await pki.start()
    const usagesIn = async (usages: string[]) => {
      const pem = await pki.signer.sign((await csr('CN=x')).toString('pem'), { usages })
      return new x509.X509Certificate(pem).getExtension(x509.KeyUsagesExtension)?.usages
    }
    expect(await usagesIn(['client auth'])).toBeUndefined()
    expect(await usagesIn(['digital signature', 'client auth'])).toBe(x509.KeyUsageFlags.digitalSignature)
  })

  it('refuses what it cannot read, a usage that only an authority may have, and a forged request', async () => {
    await using pki = pkiIn(join(dir, 'pki'))
    await pki.start()
    const request = await csr('CN=x')
    await expect(pki.signer.sign('x', { usages: [] })).rejects.toMatchObject({ reason: 'BadRequest' })
    await expect(pki.signer.sign(request.toString('pem'), { usages: ['cert sign'] })).rejects.toMatchObject({ reason: 'BadRequest' })
    const bytes = Buffer.from(request.rawData)
    bytes[bytes.indexOf('x', 0, 'latin1')] = 'y'.charCodeAt(0)
    const forged = x509.PemConverter.encode(bytes, 'CERTIFICATE REQUEST')
    await expect(pki.signer.sign(forged, { usages: ['client auth'] })).rejects.toMatchObject({
      message: expect.stringContaining('signature') as string,
    })
  })
})
