import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../base/fake-clock.ts'
import { silentLogger } from '../base/logger.ts'
import { seededRandom } from '../base/random.ts'
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

describe('the audit log', () => {
  it('is off where nobody asked for it', async () => {
    expect(await open()).toBeNull()
  })

  it('is kept in the state folder by the policy that lies there', async () => {
    await writeFile(join(dir, 'audit-policy.yaml'), POLICY)
    const audit = await open()
    const request = { method: 'GET', path: '/version', query: new URLSearchParams(), headers: {}, user: { name: 'ada', groups: [] } }
    audit?.begin(
      { ...request, signal: new AbortController().signal, body: async () => Buffer.of() },
      requestInfo('GET', '/version', request.query),
    )
    await audit?.[Symbol.asyncDispose]()
    expect(await readFile(join(dir, 'audit/audit.log'), 'utf8')).toMatch(/^\{"kind":"Event".*"username":"ada".*\}\n$/)
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
