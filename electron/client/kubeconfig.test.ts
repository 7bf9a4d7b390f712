import { mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { FakeClock } from '../base/fake-clock.ts'
import { mergeIntoFile, mergeKubeconfig, readKubeconfig, removeFromFile, writeKubeconfig, type KubeconfigEntry } from './kubeconfig.ts'

const ENTRY: KubeconfigEntry = { name: 'flotilla', server: 'https://127.0.0.1:6443', ca: 'CA', certificate: { cert: 'CERT', key: 'KEY' } }
const OLD = `# my clusters
apiVersion: v1
kind: Config
preferences: {}
clusters:
  # the one at work
  - name: work
    cluster: { server: "https://work.example:6443", certificate-authority: /etc/work.crt } # do not touch
users:
  - name: me
    user:
      exec: {apiVersion: client.authentication.k8s.io/v1, command: login, args: [a, b]}
contexts:
  - name: work
    context: {cluster: work, user: me}
current-context: work
`

let dir: string
let file: string
const clock = new FakeClock()
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flotilla-kubeconfig-'))
  file = join(dir, 'config')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

describe('merging', () => {
  it('adds the cluster and leaves every other line as it is, comments included', () => {
    const merged = mergeKubeconfig(OLD, ENTRY, file)
    for (const line of [
      '# my clusters',
      '  # the one at work',
      'certificate-authority: /etc/work.crt } # do not touch',
      'current-context: work',
    ])
      expect(merged).toContain(line)
    const config = parse(merged) as { clusters: unknown[]; users: unknown[]; contexts: unknown[] }
    expect(config.clusters[1]).toEqual({ name: 'flotilla', cluster: { server: ENTRY.server, 'certificate-authority-data': 'Q0E=' } })
    expect(config.users[0]).toEqual((parse(OLD) as typeof config).users[0])
    expect(config.contexts[1]).toEqual({ name: 'flotilla', context: { cluster: 'flotilla', user: 'flotilla' } })
  })

  it('again changes nothing, and renews credentials in place', () => {
    const once = mergeKubeconfig(OLD, ENTRY, file)
    expect(mergeKubeconfig(once, ENTRY, file)).toBe(once)
    const renewed = parse(mergeKubeconfig(once, { ...ENTRY, certificate: { cert: 'NEW', key: 'KEY' } }, file)) as {
      users: { name: string; user: object }[]
    }
    expect(renewed.users.map((user) => user.name)).toEqual(['me', 'flotilla'])
    expect(renewed.users[1]?.user).toEqual({ 'client-certificate-data': 'TkVX', 'client-key-data': 'S0VZ' })
  })

  it('keeps the namespace that a person chose for the context', () => {
    const chosen = mergeKubeconfig('', ENTRY, file).replace('user: flotilla\n', 'user: flotilla\n      namespace: mine\n')
    expect(parse(mergeKubeconfig(chosen, { ...ENTRY, namespace: 'default' }, file))).toMatchObject({
      contexts: [{ context: { namespace: 'mine' } }],
    })
  })

  it.each([
    ['nothing', ''],
    [
      'null lists, as kubectl config writes them',
      'apiVersion: v1\nkind: Config\nclusters: null\ncontexts: null\nusers: null\ncurrent-context: ""\n',
    ],
    ['JSON', '{"apiVersion":"v1","kind":"Config","clusters":[],"contexts":[],"users":[]}'],
    ['only a comment', '# mine\n'],
  ])('into %s makes it the current context', (_what, text) => {
    expect(parse(mergeKubeconfig(text, ENTRY, file))).toMatchObject({
      kind: 'Config',
      'current-context': 'flotilla',
      clusters: [{ name: 'flotilla' }],
    })
  })

  it.each([
    ['not YAML', 'a: [', 'not YAML'],
    ['of another kind', 'kind: Pod\n', 'kind is "Pod"'],
    ['a list', '- a\n', 'fields and values'],
    ['with clusters of another form', 'clusters: 3\n', 'not a list'],
  ])('refuses a file that is %s', (_what, text, why) => {
    expect(() => mergeKubeconfig(text, ENTRY, file)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', why: expect.stringContaining(why) as string }),
    )
  })
})

describe('a file', () => {
  it('that is missing is made, for its owner only', async () => {
    const deep = join(dir, '.kube', 'config')
    expect(await mergeIntoFile(deep, ENTRY, clock)).toEqual({ changed: true, backup: null, currentContext: 'flotilla' })
    expect((await stat(deep)).mode & 0o777).toBe(0o600)
    expect(await readdir(join(dir, '.kube'))).toEqual(['config'])
  })

  it('that exists is backed up as it was before the first change, and keeps its mode', async () => {
    await writeFile(file, OLD, { mode: 0o640 })
    const first = await mergeIntoFile(file, ENTRY, clock)
    expect(first).toEqual({ changed: true, backup: `${file}.flotilla-backup`, currentContext: 'work' })
    await mergeIntoFile(file, { ...ENTRY, server: 'https://127.0.0.1:7443' }, clock)
    expect(await readFile(`${file}.flotilla-backup`, 'utf8')).toBe(OLD)
    expect((await stat(file)).mode & 0o777).toBe(0o640)
    expect((await mergeIntoFile(file, { ...ENTRY, server: 'https://127.0.0.1:7443' }, clock)).changed).toBe(false)
  })

  it('behind a link is changed where it is', async () => {
    await writeFile(join(dir, 'real'), OLD)
    await symlink('real', file)
    await mergeIntoFile(file, ENTRY, clock)
    expect(await readFile(join(dir, 'real'), 'utf8')).toContain('name: flotilla')
    expect(await readFile(file, 'utf8')).toContain('name: flotilla')
  })

  it('that cannot be used is left alone', async () => {
    await writeFile(file, 'a: [')
    await expect(mergeIntoFile(file, ENTRY, clock)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    expect(await readFile(file, 'utf8')).toBe('a: [')
    expect(await readdir(dir)).toEqual(['config'])
  })

  it('loses only the cluster that is removed', async () => {
    await writeFile(file, OLD)
    await mergeIntoFile(file, ENTRY, clock)
    await removeFromFile(file, 'flotilla', clock)
    expect(parse(await readFile(file, 'utf8'))).toEqual(parse(OLD))
    await writeFile(file, writeKubeconfig(ENTRY))
    expect((await removeFromFile(file, 'flotilla', clock)).currentContext).toBe('')
  })
})

describe('reading', () => {
  it('gives what a client needs, inline or from files beside it', async () => {
    await writeFile(file, writeKubeconfig({ ...ENTRY, namespace: 'n' }))
    expect(await readKubeconfig(file)).toEqual({
      context: 'flotilla',
      server: ENTRY.server,
      ca: 'CA',
      servername: undefined,
      namespace: 'n',
      identity: { certificate: { cert: 'CERT', key: 'KEY' } },
    })
    await writeFile(join(dir, 'ca.crt'), 'PEM')
    await writeFile(
      file,
      'clusters: [{name: c, cluster: {server: "https://x", certificate-authority: ca.crt, tls-server-name: y}}]\nusers: [{name: u, user: {token: t}}]\ncontexts: [{name: z, context: {cluster: c, user: u}}]\n',
    )
    expect(await readKubeconfig(file, 'z')).toMatchObject({ ca: 'PEM', servername: 'y', identity: { token: 't' } })
    await expect(readKubeconfig(file)).rejects.toMatchObject({ code: 'INVALID_INPUT', why: 'It has no context "".' })
  })
})
