/** The two servers that are compared, each with its store, each on a state folder of its own. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface Identity {
  readonly port: number
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export interface Server extends AsyncDisposable {
  readonly identity: Identity
  /** Milliseconds from the start of its process until /readyz said yes. */
  readonly readyMs: number
  /** Resident memory of all its processes, in bytes. */
  rss(): number
  /** Processor time that all its processes have used, in microseconds. */
  cpu(): number
}

/** Programs of the system. */
const [ETCD, OPENSSL] = ['etcd', 'openssl']
const TICK_US = 10_000

function statOf(child: ChildProcess): { rss: number; cpu: number } {
  const text = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { rss: Number(fields[21]) * 4096, cpu: (Number(fields[11]) + Number(fields[12])) * TICK_US }
}

function server(identity: Identity, readyMs: number, children: readonly ChildProcess[]): Server {
  const sum = (what: 'rss' | 'cpu') => children.reduce((total, child) => total + statOf(child)[what], 0)
  return {
    identity,
    readyMs,
    rss: () => sum('rss'),
    cpu: () => sum('cpu'),
    async [Symbol.asyncDispose]() {
      for (const child of children) {
        const gone = once(child, 'exit')
        child.kill('SIGTERM')
        if (child.exitCode === null && child.signalCode === null) await gone
      }
    },
  }
}

/** A second start, as every one but the first: keys and certificates are there. */
export async function startOurs(dir: string, bundle: { server: string; worker: string }): Promise<Server> {
  const run = async (): Promise<Server> => {
    const begun = performance.now()
    const args = [bundle.server, join(dir, 'state'), bundle.worker, join(import.meta.dirname, '../..')]
    const env = { ...process.env, NODE_COMPILE_CACHE: join(dir, 'compile-cache') }
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env })
    const identity = await firstLine(child)
    await ready(identity)
    return server(identity, performance.now() - begun, [child])
  }
  await (await run())[Symbol.asyncDispose]()
  return run()
}

async function firstLine(child: ChildProcess): Promise<Identity> {
  if (!child.stdout) throw new Error('no output')
  for await (const line of createInterface(child.stdout)) return JSON.parse(line) as Identity
  throw new Error('our API server did not start')
}

/** `binary` on Debian's etcd, with our certificates; likewise its second start. Admission plugins that need controllers are off. */
export async function startPeer(dir: string, binary: string): Promise<Server> {
  mkdirSync(dir, { recursive: true })
  const certificates = makeCertificates(dir)
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()]
  const etcdUrl = `http://127.0.0.1:${etcdPort}`
  const peerUrl = `http://127.0.0.1:${peerPort}`
  const etcd = spawn(
    ETCD,
    [
      ...['--data-dir', join(dir, 'etcd'), '--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
      ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl, '--initial-cluster', `default=${peerUrl}`],
    ],
    { stdio: 'ignore' },
  )
  const { ca, cert, key } = certificates
  const identity: Identity = { port, ca: readFileSync(ca, 'utf8'), cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  const run = async () => {
    const begun = performance.now()
    const api = spawn(
      binary,
      [
        ...['--etcd-servers', etcdUrl, '--secure-port', String(port), '--bind-address', '127.0.0.1', '--advertise-address', '127.0.0.1'],
        ...['--tls-cert-file', cert, '--tls-private-key-file', key, '--client-ca-file', ca, '--authorization-mode', 'RBAC'],
        ...['--service-account-key-file', key, '--service-account-signing-key-file', key, '--service-account-issuer', 'https://x'],
        ...['--service-cluster-ip-range', '10.97.0.0/16', '--disable-admission-plugins', 'ServiceAccount', '--cert-dir', dir],
      ],
      { stdio: 'ignore' },
    )
    await ready(identity)
    return { api, ms: performance.now() - begun }
  }
  const first = await run()
  const gone = once(first.api, 'exit')
  first.api.kill('SIGTERM')
  await gone
  const { api, ms } = await run()
  return server(identity, ms, [api, etcd])
}

/** RSA for the signing key is what every version takes; the server's own is ECDSA, as ours. */
function makeCertificates(dir: string): { ca: string; cert: string; key: string } {
  const at = (name: string) => join(dir, name)
  const openssl = (...args: string[]) => execFileSync(OPENSSL, args, { stdio: 'ignore' })
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at('ca.key'))
  openssl('req', '-x509', '-new', '-key', at('ca.key'), '-subj', '/CN=bench-ca', '-days', '2', '-out', at('ca.pem'))
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at('one.key'))
  openssl('req', '-new', '-key', at('one.key'), '-subj', '/O=system:masters/CN=bench', '-out', at('one.csr'))
  writeFileSync(at('ext'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n')
  const sign = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('ext')]
  openssl('x509', '-req', '-in', at('one.csr'), ...sign, '-out', at('one.pem'))
  return { ca: at('ca.pem'), cert: at('one.pem'), key: at('one.key') }
}

async function freePort(): Promise<number> {
  const socket = createServer()
  socket.listen(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address() as AddressInfo
  socket.close()
  await once(socket, 'close')
  return port
}

const PATIENCE_MS = 120_000

async function ready({ port, ca, cert, key }: Identity): Promise<void> {
  const once = () =>
    new Promise<boolean>((resolve) => {
      const asked = request({ host: '127.0.0.1', port, ca, cert, key, path: '/readyz', agent: false }, (answer) => {
        answer.resume()
        resolve(answer.statusCode === 200)
      })
      asked.once('error', () => resolve(false))
      asked.end()
    })
  const until = performance.now() + PATIENCE_MS
  while (!(await once())) {
    if (performance.now() > until) throw new Error('the server did not become ready')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
