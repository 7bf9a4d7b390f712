import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run, startSecureServer, type SecureServer } from './secure-server.ts'

let server: SecureServer
let kubeconfig: string
beforeAll(async () => {
  const file = join(import.meta.dirname, '../../.cache/test-descriptions.json')
  const made = await run(process.execPath, [join(import.meta.dirname, '../../scripts/descriptions.ts'), file])
  expect(made.code, made.err).toBe(0)
  server = await startSecureServer({ descriptions: file })
  kubeconfig = await server.kubeconfig('admin')
})
afterAll(() => server[Symbol.asyncDispose]())

const kubectl = (args: string[], input?: string) =>
  run('kubectl', ['--kubeconfig', kubeconfig, ...args], { env: { HOME: server.dir }, ...(input === undefined ? {} : { input }) })

describe('kubectl explain', () => {
  it('shows a field with its type, its description and its fields', async () => {
    const { out, err } = await kubectl(['explain', 'pod.spec.containers'])
    expect(err).toBe('')
    expect(out).toMatch(/KIND:\s+Pod\nVERSION:\s+v1/)
    expect(out).toMatch(/FIELD: containers <\[\]Container>/)
    expect(out).toContain('A single application container that you want to run within a pod.')
    expect(out).toMatch(/ {2}image\t<string>\n {4}Container image name/)
    expect(out).toMatch(/ {2}name\t<string> -required-/)
    expect(out).toMatch(/ {2}imagePullPolicy\t<string>\n {2}enum: Always, IfNotPresent, Never/)
  })

  it('finds kinds of other groups, and unfolds them', async () => {
    expect((await kubectl(['explain', 'deployment.spec.strategy'])).out).toMatch(/GROUP:\s+apps\nKIND:\s+Deployment/)
    expect((await kubectl(['explain', 'deployments', '--recursive'])).out).toMatch(/rollingUpdate\t<RollingUpdateDeployment>/)
    expect((await kubectl(['explain', 'pod.spec.nothing'])).err).toContain('field "nothing" does not exist')
  })
})

describe('kubectl apply', () => {
  it('asks the server to refuse unknown fields, as the documents say it can', async () => {
    const { err, code } = await kubectl(
      ['create', '--dry-run=server', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'default' }, dato: {} }),
    )
    expect(code).not.toBe(0)
    expect(err).toContain('unknown field "dato"')
  })
})

describe('the documents', () => {
  it('come whole over HTTP/2, with an ETag that spares the second transfer', async () => {
    const certificate = await server.pki.issueClient({ commonName: 'kubernetes-admin', organizations: ['system:masters'] })
    const client = await server.remote('admin')
    expect(certificate.cert).toContain('BEGIN CERTIFICATE')
    const json = 'application/json'
    const protobuf = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
    for (const [path, accept, answered] of [
      ['/openapi/v2', json, json],
      // As clients of old ask for it: the @ is no part of a media type that they could read in an answer.
      ['/openapi/v2', 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf', protobuf],
      ['/openapi/v2', protobuf, protobuf],
      ['/openapi/v3', json, json],
      ['/openapi/v3/api/v1', json, json],
    ] as const) {
      const first = await client.request({ method: 'GET', path, headers: { accept } })
      let size = 0
      for await (const part of first.body) size += part.byteLength
      expect([first.status, first.headers['content-type']]).toEqual([200, answered])
      expect(size).toBeGreaterThan(200)
      const again = await client.request({ method: 'GET', path, headers: { accept, 'if-none-match': String(first.headers['etag']) } })
      for await (const _ of again.body) expect.unreachable()
      expect(again.status).toBe(304)
    }
  })
})
