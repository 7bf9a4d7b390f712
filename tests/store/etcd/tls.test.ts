import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../electron/base/clock.ts'
import type { FlotillaError } from '../../../electron/base/errors.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import type { EtcdTls } from '../../../electron/store/remote/endpoint.ts'
import { createRemoteStore } from '../../../electron/store/remote/remote-store.ts'
import { write } from '../../../electron/store/testing/subject.ts'
import { EtcdMember, freePort } from './member.ts'

const OPENSSL = '/usr/bin/openssl'

describe('a store on an etcd that wants TLS with client certificates', () => {
  let dir: string
  let member: EtcdMember
  const file = (name: string) => join(dir, name)
  const pem = (name: string) => readFileSync(file(name), 'utf8')
  const openssl = (...args: string[]) => execFileSync(OPENSSL, args, { cwd: dir, stdio: 'ignore' })

  function makeAuthority(name: string): void {
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`,
      '-keyout', `${name}.key`, '-out', `${name}.crt`) // prettier-ignore
  }
  function makeCertificate(name: string, authority: string, address = '127.0.0.1'): void {
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`, '-keyout', `${name}.key`,
      '-out', `${name}.csr`) // prettier-ignore
    writeFileSync(file('extensions'), `subjectAltName=IP:${address}\nextendedKeyUsage=serverAuth,clientAuth\n`)
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${authority}.crt`, '-CAkey', `${authority}.key`, '-CAcreateserial', '-days', '2',
      '-extfile', 'extensions', '-out', `${name}.crt`) // prettier-ignore
  }

  async function start(name: string): Promise<EtcdMember> {
    const tls = { ca: file('ca.crt'), cert: file(`${name}.crt`), key: file(`${name}.key`) }
    const started = new EtcdMember({ dir, name, port: await freePort(), peerPort: await freePort(), tls })
    await started.start()
    return started
  }

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'etcd-tls-'))
    makeAuthority('ca')
    makeAuthority('stranger')
    makeCertificate('server', 'ca')
    makeCertificate('elsewhere', 'ca', '127.0.0.9')
    makeCertificate('client', 'ca')
    member = await start('server')
  })
  afterAll(async () => {
    await member.kill()
    rmSync(dir, { recursive: true, force: true })
  })

  const open = (tls: EtcdTls, { url }: { url: string } = member) =>
    createRemoteStore({ endpoints: [url], tls, clock: systemClock, logger: silentLogger })
  const refusal = async (tls: EtcdTls, from: { url: string } = member) => {
    const began = systemClock.monotonic()
    const error = await open(tls, from).then(
      () => null,
      (thrown: unknown) => thrown as FlotillaError,
    )
    expect(error).toMatchObject({ name: 'FlotillaError', code: 'MISSING_REQUIREMENT' })
    // Waiting for a member that is away would take 10 seconds.
    expect(systemClock.monotonic() - began).toBeLessThan(8000)
    return (error as FlotillaError).message
  }

  it('opens with the CA, a client certificate and its key', async () => {
    await using store = await open({ ca: pem('ca.crt'), cert: pem('client.crt'), key: pem('client.key') })
    expect(await write(store, 'a', '1')).toBeGreaterThan(1)
  })

  it('says so when the member’s certificate is not from the CA', async () => {
    expect(await refusal({ ca: pem('stranger.crt'), cert: pem('client.crt'), key: pem('client.key') })).toMatch(/certificate/)
  })

  it('says so when the certificate is another address’s', async () => {
    await using other = await start('elsewhere')
    const tls = { ca: pem('ca.crt'), cert: pem('client.crt'), key: pem('client.key') }
    expect(await refusal(tls, other)).toContain("IP: 127.0.0.1 is not in the cert's list")
  })

  it('does not open without a client certificate', async () => {
    expect(await refusal({ ca: pem('ca.crt') })).toContain(member.url)
  })

  it('says so when the client certificate is not from the CA', async () => {
    makeCertificate('foreigner', 'stranger')
    const tls = { ca: pem('ca.crt'), cert: pem('foreigner.crt'), key: pem('foreigner.key') }
    expect(await refusal(tls)).toMatch(/certificate/)
  })

  it('says so when it is spoken to without TLS', async () => {
    expect(await refusal({}, { url: member.url.replace('https', 'http') })).toMatch(/TLS/)
  })

  it('says so when whoever answers is not etcd', async () => {
    for (const server of [
      createHttpServer((_, answer) => answer.end('hello')),
      createHttp2Server((_, answer) => answer.writeHead(404).end()),
      createServer((socket) => socket.end('220 hello there\r\n')),
    ]) {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      expect(await refusal({}, { url: `http://127.0.0.1:${port}` })).toContain(String(port))
      expect(await refusal({}, { url: `https://127.0.0.1:${port}` })).toContain(String(port))
      server.close()
    }
  })

  it('refuses a key that is none', async () => {
    await expect(open({ ca: pem('ca.crt'), cert: pem('client.crt'), key: 'no key' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })
})
