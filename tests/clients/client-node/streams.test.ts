/** Streams of `@kubernetes/client-node` into a pod, through the API server and the agent's own server. */
import { Attach, Cp, Exec, KubeConfig, Log, PortForward, type V1Status } from '@kubernetes/client-node'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { SecureServer } from '../../api-security/secure-server.ts'
import { CONTAINER, POD, startProcessNode } from '../lib/process-node.ts'
import { until } from '../lib/until.ts'

const { namespace, name } = POD
let dir: string
let server: SecureServer
let config: KubeConfig
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flotilla-streams-'))
  await mkdir(join(dir, 'pod'))
  server = await startProcessNode(join(dir, 'pod'))
  config = new KubeConfig()
  config.loadFromFile(await server.kubeconfig('admin'))
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

async function exec(command: string[], input: string | null): Promise<{ out: string; err: string; status: V1Status }> {
  const [out, err] = [new PassThrough(), new PassThrough()]
  const stdin = input === null ? null : Readable.from([Buffer.from(input)])
  const said = Promise.all([text(out), text(err)])
  const status = new Promise<V1Status>((resolve, reject) => {
    new Exec(config).exec(namespace, name, CONTAINER, command, out, err, stdin, false, resolve).catch(reject)
  })
  const ended = await status
  const [outText, errText] = await said
  return { out: outText, err: errText, status: ended }
}

it('runs commands: output, faults and exit codes come back', async () => {
  expect(await exec(['sh', '-c', 'echo out; echo err >&2'], null)).toMatchObject({
    out: 'out\n',
    err: 'err\n',
    status: { status: 'Success' },
  })
  const { status } = await exec(['sh', '-c', 'exit 7'], null)
  expect(status).toMatchObject({
    status: 'Failure',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '7' }] },
  })
})

it('feeds commands, whose input ends', async () => {
  const input = 'a line\n'.repeat(20_000)
  const { out, status } = await exec(['wc', '-c'], input)
  expect(out.trim()).toBe(String(input.length))
  expect(status.status).toBe('Success')
})

it('says why it does not reach a pod', async () => {
  const failure = new Exec(config).exec(namespace, 'nobody', CONTAINER, ['true'], new PassThrough(), null, null, false)
  await expect(failure).rejects.toMatchObject({ message: expect.stringContaining('404') })
})

it('attaches to what runs', async () => {
  const [input, out] = [new PassThrough(), new PassThrough()]
  const socket = await new Attach(config).attach(namespace, name, CONTAINER, out, null, input, false)
  input.write('hello')
  const [heard] = (await once(out, 'data')) as [Buffer]
  expect(heard.toString()).toBe('HELLO')
  const closed = once(socket, 'close')
  input.end()
  await closed
})

it('reads logs, their end, and what comes later', async () => {
  const read = async (options: object) => {
    const out = new PassThrough()
    const said = text(out)
    await new Log(config).log(namespace, name, CONTAINER, out, options)
    return said
  }
  expect(await read({})).toBe('one\ntwo\nthree\n')
  expect(await read({ tailLines: 1 })).toBe('three\n')
  expect(await read({ follow: true })).toBe('one\ntwo\nthree\nlater 0\nlater 1\nlater 2\n')
})

it('forwards a port', async () => {
  const backend = http.createServer((request, response) => void response.end(`${request.method} ${request.url}`))
  backend.listen(0, '127.0.0.1')
  await once(backend, 'listening')
  try {
    const [input, out, err] = [new PassThrough(), new PassThrough(), new PassThrough()]
    let said = ''
    out.on('data', (part) => (said += String(part)))
    const { port } = backend.address() as AddressInfo
    const socket = await new PortForward(config).portForward(namespace, name, [port], out, err, input)
    input.write('GET /through HTTP/1.1\r\nhost: pod\r\nconnection: close\r\n\r\n')
    await until('the backend answered', () => said.includes('GET /through'))
    expect(said).toMatch(/^HTTP\/1.1 200 OK/)
    if (typeof socket !== 'function') socket.close()
  } finally {
    backend.closeAllConnections()
    backend.close()
  }
})

it('copies folders in and out', async () => {
  await mkdir(join(dir, 'in'))
  await writeFile(join(dir, 'in/file'), 'x'.repeat(100_000))
  await mkdir(join(dir, 'pod/copied'))
  const cp = new Cp(config)
  await cp.cpToPod(namespace, name, CONTAINER, join(dir, 'in'), 'copied')
  await until('the copy is in the pod', async () => (await readFile(join(dir, 'pod/copied/file'), 'utf8')).length === 100_000)
  await cp.cpFromPod(namespace, name, CONTAINER, 'copied', join(dir, 'out'))
  await until('the copy is here', async () => (await readFile(join(dir, 'out/copied/file'), 'utf8')) === 'x'.repeat(100_000))
})
