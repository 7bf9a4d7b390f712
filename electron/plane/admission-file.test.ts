import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readAdmissionFile } from './admission-file.ts'

const HEAD = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n'
const OWN = 'apiVersion: pod-security.admission.config.k8s.io/v1, kind: PodSecurityConfiguration'

describe('admission.yaml', () => {
  let dir = ''
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'flotilla-admission-file-'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))
  const usual = () => join(dir, 'admission.yaml')
  const reading = async (text: string) => {
    await writeFile(usual(), text)
    return readAdmissionFile(undefined, usual())
  }

  it('need not be there, unless it is named', async () => {
    expect(await readAdmissionFile(undefined, usual())).toEqual({})
    await expect(readAdmissionFile(usual(), join(dir, 'other'))).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('says what pods must be like, and who need not care', async () => {
    const defaults = 'defaults: { enforce: baseline, enforce-version: v1.30, warn: restricted }'
    const exemptions = 'exemptions: { usernames: [jane], namespaces: [kube-system], runtimeClasses: [sandbox] }'
    const { podSecurity } = await reading(`${HEAD}plugins: [{ name: PodSecurity, configuration: { ${OWN}, ${defaults}, ${exemptions} } }]`)
    expect(podSecurity).toEqual({
      defaults: {
        enforce: { level: 'baseline', minor: 30 },
        audit: { level: 'privileged', minor: Infinity },
        warn: { level: 'restricted', minor: Infinity },
      },
      exemptions: { usernames: ['jane'], namespaces: ['kube-system'], runtimeClasses: ['sandbox'] },
    })
  })

  it('may name another file, beside it', async () => {
    await writeFile(join(dir, 'pods.yaml'), `{ ${OWN}, defaults: { enforce: restricted } }`)
    const { podSecurity } = await reading(`${HEAD}plugins: [{ name: PodSecurity, path: pods.yaml }]`)
    expect(podSecurity?.defaults.enforce.level).toBe('restricted')
    await expect(reading(`${HEAD}plugins: [{ name: PodSecurity, path: gone.yaml }]`)).rejects.toThrow(/gone\.yaml/)
  })

  it.each([
    ['plugins: [', /admission\.yaml/],
    [
      'plugins: [{ name: EventRateLimit, path: x }]',
      /plugins\[0\]\.name: Unsupported value: "EventRateLimit": supported values: "PodSecurity"/,
    ],
    ['plugins: [{ name: PodSecurity }]', /plugins\[0\]\.configuration: Required value/],
    [
      `plugins: [{ name: PodSecurity, configuration: { ${OWN}, defaults: { enforce: high, warn-version: "1" } } }]`,
      /configuration\.defaults\.enforce: Invalid value: "high": must be one of privileged, baseline, restricted; .*warn-version: Invalid value: "1": must be "latest" or "v1\.x"/,
    ],
    [
      `plugins: [{ name: PodSecurity, configuration: { ${OWN}, exemptions: { namespaces: [a, a, B!], users: [x] } } }]`,
      /exemptions\.users: Invalid value: "users": unknown field; .*namespaces\[1\]: Duplicate value: "a"; .*namespaces\[2\]: Invalid value: "B!"/,
    ],
  ])('is refused with its path and the field that is wrong: %s', async (text, message) => {
    const refused = expect(reading(HEAD + text)).rejects
    await refused.toMatchObject({ code: 'INVALID_INPUT', what: expect.stringContaining(usual()) as string })
    await expect(reading(HEAD + text)).rejects.toThrow(message)
  })
})
