import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../base/fake-clock.ts'
import { silentLogger } from '../base/logger.ts'
import { seededRandom } from '../base/random.ts'
import type { Audit } from '../apiserver/audit/audit.ts'
import { requestInfo } from '../apiserver/request-info.ts'
import { openAudit, type AuditConfig } from './audit.ts'

const POLICY = 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{ level: Metadata }]\n'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flotilla-audit-plane-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const open = (config: AuditConfig = {}) => {
  const deps = { clock: new FakeClock(), random: seededRandom(1), logger: silentLogger }
  return openAudit(config, { policy: join(dir, 'audit-policy.yaml'), log: join(dir, 'audit/audit.log') }, deps)
}

function noteOne(audit: Audit | null): void {
  const query = new URLSearchParams()
  const user = { name: 'ada', groups: [] }
  const { signal } = new AbortController()
  const request = { method: 'GET', path: '/version', query, headers: {}, user, signal, body: async () => Buffer.of() }
  audit?.begin(request, requestInfo('GET', '/version', query))
}

describe('the audit log', () => {
  it('is off where nobody asked for it', async () => {
    expect(await open()).toBeNull()
  })

  it('is kept in the state folder by the policy that lies there', async () => {
    await writeFile(join(dir, 'audit-policy.yaml'), POLICY)
    const audit = await open()
    noteOne(audit)
    await audit?.[Symbol.asyncDispose]()
    expect(await readFile(join(dir, 'audit/audit.log'), 'utf8')).toMatch(/^\{"kind":"Event".*"username":"ada".*\}\n$/)
  })

  it('goes to the server of a kubeconfig, and then into no file', async () => {
    const posted = Promise.withResolvers<string>()
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        response.end()
        posted.resolve(`${request.headers.authorization} ${body}`)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const kubeconfig = {
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}/events` } }],
      users: [{ name: 'u', user: { token: 'secret' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }
    await writeFile(join(dir, 'sink'), JSON.stringify(kubeconfig))
    await writeFile(join(dir, 'p.yaml'), POLICY)
    const audit = await open({ policyFile: join(dir, 'p.yaml'), webhookConfigFile: join(dir, 'sink') })
    noteOne(audit)
    await audit?.[Symbol.asyncDispose]()
    expect(await posted.promise).toMatch(/^Bearer secret \{"kind":"EventList".*"username":"ada"/)
    expect(await readdir(dir)).not.toContain('audit')
    server.close()
  })

  it.each<[what: string, config: (path: (name: string) => string) => AuditConfig, message: RegExp]>([
    ['a policy that is not there', (path) => ({ policyFile: path('none.yaml') }), /audit policy .*none\.yaml cannot be read/],
    ['a log without a policy', (path) => ({ logPath: path('audit.log') }), /no policy that says what to note/],
    ['a log that is a folder', (path) => ({ policyFile: path('p.yaml'), logPath: path('') }), /audit log .* cannot be written to/],
    [
      'a webhook that is not there',
      (path) => ({ policyFile: path('p.yaml'), webhookConfigFile: path('none') }),
      /kubeconfig .*none cannot be read/,
    ],
    ['a webhook of no cluster', (path) => ({ policyFile: path('p.yaml'), webhookConfigFile: path('empty') }), /It has no context/],
    [
      'a bad policy',
      (path) => ({ policyFile: path('bad.yaml') }),
      /bad\.yaml cannot be used.*rules\[0\]\.level: Unsupported value: "Loud"/,
    ],
  ])('is refused with %s', async (_, config, message) => {
    await writeFile(join(dir, 'p.yaml'), POLICY)
    await writeFile(join(dir, 'bad.yaml'), POLICY.replace('Metadata', 'Loud'))
    await writeFile(join(dir, 'empty'), 'kind: Config\n')
    await expect(open(config((name) => join(dir, name)))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(message) as string,
    })
  })
})
