import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seededRandom } from '../../base/random.ts'
import { fingerprint, hostKeyAlgorithms, keyText, parseKeyText, publicKey, requireKey } from './host-key.ts'
import { entryMatches, knownHostLine, KnownHosts, parseKnownHosts } from './known-hosts.ts'

const ED = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID+a6qkljRqeO0zKD7olXvv4MK7hsWoswbuQBvrvzMpz'
const OTHER = keyText(publicKey(Buffer.concat([requireKey(ED).blob.subarray(0, -1), Buffer.of(0)])))
const RSA =
  'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDRc/+uUHr77jv65gCBeBOOjSM+4TEQtjAzy98EOFTKnzKdt9128m5ANUiIJBGBqvWm7yBSApUd2/5vAj8PloTgXFPYgZ9XcOMHE5pklD0HAiACl6RscvXwE9PicbrvCnQBYvZtzlt0omaAhf3vbvLcjll131GDtD06gf2KeE05lwNBu/kOnQ0qL4BCexVI2rXkHfR0EKKzPPKlfCNC3y0oEFNixCG3QOgP2PWABYRb+2MoGQmOmmHZh3f3uizw+2k/wvXO+VGy/tx+CNyI9lqQRGjzSusfX05b4NqwcHYEMuOGv+oYxToHoHQ4ZiTL5IhvPwrt/J004unhUTkDzzMl'
/** Written by `ssh-keygen -H` for "moth" and "[moth]:2222". */
const HASHED = `|1|lKf5Y9NmKaEoMPY58nlIlMBNGQ8=|Zs4Ta8CRR+oW1QBD2yg9hMwrwMc= ${ED}
|1|bAvp4niMi+7xRZiI4rIjkUuCAwY=|jl75SAIIsld7vbRazEKTVwmDLJA= ${ED}
`

describe('host keys', () => {
  it('prints the fingerprints that ssh-keygen prints', () => {
    expect(fingerprint(requireKey(ED))).toBe('SHA256:paOminUbsnrVFiFK+vMnq3VgtgXyMDB8YS1F8PRqFM0')
    expect(fingerprint(requireKey(`${RSA} comment`))).toBe('SHA256:UuncCU3R0Gv41WpFZNWOao2l6qSowZYHkC9HggXRDKE')
  })

  it('refuses what is no key, or says another type than it is', () => {
    for (const bad of ['', 'ssh-ed25519', 'ssh-ed25519 !!!!', `ssh-rsa ${ED.split(' ')[1]}`]) expect(parseKeyText(bad)).toBeNull()
    expect(() => requireKey('nonsense')).toThrow(/not a host key/)
  })

  it('asks for the types on record first, RSA with its modern signatures before the old one', () => {
    expect(hostKeyAlgorithms(['ssh-rsa']).slice(0, 4)).toEqual(['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa', 'ssh-ed25519'])
    expect(hostKeyAlgorithms(['sk-ssh-ed25519@openssh.com'])).not.toContain('sk-ssh-ed25519@openssh.com')
  })
})

describe('known_hosts lines', () => {
  const match = (line: string, host: string, port = 22) => parseKnownHosts(line, 'f').some((entry) => entryMatches(entry, host, port))

  it('match names, lists, patterns and negations', () => {
    expect(match(`moth,10.0.0.7 ${ED}`, '10.0.0.7')).toBe(true)
    expect(match(`MOTH ${ED}`, 'moth')).toBe(true)
    expect(match(`*.example.org,!bad.example.org ${ED}`, 'good.example.org')).toBe(true)
    expect(match(`*.example.org,!bad.example.org ${ED}`, 'bad.example.org')).toBe(false)
    expect(match(`10.0.0.? ${ED}`, '10.0.0.77')).toBe(false)
  })

  it('tell ports apart', () => {
    expect(match(`[moth]:2222 ${ED}`, 'moth', 2222)).toBe(true)
    expect(match(`[moth]:2222 ${ED}`, 'moth', 22)).toBe(false)
    expect(match(`moth ${ED}`, 'moth', 2222)).toBe(false)
  })

  it('match the hashes of ssh-keygen -H', () => {
    const entries = parseKnownHosts(HASHED, 'f')
    const found = (host: string, port: number) => entries.filter((entry) => entryMatches(entry, host, port)).map((entry) => entry.source)
    expect(found('moth', 22)).toEqual(['f:1'])
    expect(found('moth', 2222)).toEqual(['f:2'])
    expect(found('other', 22)).toEqual([])
  })

  it('are passed over when they are comments, damaged, or have a marker that is not known', () => {
    const text = `# moth ${ED}\n\n@strange * ${ED}\nmoth ssh-ed25519\nmoth ${ED} a comment\n`
    expect(parseKnownHosts(text, 'f').map((entry) => entry.source)).toEqual(['f:5'])
  })

  it('are written hashed so that they match again', () => {
    const line = knownHostLine('moth', 2222, requireKey(ED), seededRandom(1))
    expect(line).not.toContain('moth')
    expect(match(line, 'moth', 2222)).toBe(true)
    expect(match(line, 'moth', 22)).toBe(false)
  })
})

describe('KnownHosts', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'known-hosts-'))
  })
  afterEach(() => rm(dir, { recursive: true }))
  const open = (others: string[] = []) => new KnownHosts({ own: join(dir, 'ssh/known_hosts'), others, random: seededRandom(1) })

  it("consults its own file and the user's, and says where an entry stands", async () => {
    const user = join(dir, 'user')
    await writeFile(user, HASHED)
    const hosts = open([user, join(dir, 'missing')])
    expect(await hosts.check('moth', 22, requireKey(ED))).toMatchObject({ state: 'known', entry: { source: `${user}:1` } })
    expect(await hosts.check('moth', 22, requireKey(OTHER))).toMatchObject({ state: 'changed', entry: { source: `${user}:1` } })
    expect(await hosts.check('wasp', 22, requireKey(ED))).toEqual({ state: 'unknown' })
  })

  it('takes a key of another type for a change, unless one of its own type is known too', async () => {
    const user = join(dir, 'user')
    await writeFile(user, `moth ${ED}\n`)
    expect(await open([user]).check('moth', 22, requireKey(RSA))).toMatchObject({ state: 'changed' })
    await writeFile(user, `moth ${ED}\nmoth ${RSA}\n`)
    expect(await open([user]).check('moth', 22, requireKey(RSA))).toMatchObject({ state: 'known' })
  })

  it('refuses a revoked key whatever else is on record', async () => {
    const user = join(dir, 'user')
    await writeFile(user, `moth ${ED}\n@revoked * ${ED}\n`)
    expect(await open([user]).check('moth', 22, requireKey(ED))).toMatchObject({ state: 'changed', entry: { revoked: true } })
    expect(await open([user]).check('wasp', 22, requireKey(ED))).toMatchObject({ state: 'changed' })
  })

  it('remembers, replaces and forgets in its own file only, which others cannot read', async () => {
    const user = join(dir, 'user')
    await writeFile(user, '')
    const hosts = open([user])
    await hosts.remember('moth', 22, requireKey(ED))
    await hosts.remember('wasp', 22, requireKey(RSA))
    await hosts.remember('moth', 22, requireKey(OTHER))
    expect(await hosts.check('moth', 22, requireKey(OTHER))).toMatchObject({ state: 'known' })
    expect(await hosts.lookup('moth', 22)).toHaveLength(1)
    await hosts.forget('moth', 22)
    expect(await hosts.check('moth', 22, requireKey(OTHER))).toEqual({ state: 'unknown' })
    expect(await hosts.check('wasp', 22, requireKey(RSA))).toMatchObject({ state: 'known' })
    expect(await readFile(user, 'utf8')).toBe('')
    expect((await stat(join(dir, 'ssh/known_hosts'))).mode & 0o777).toBe(0o600)
  })

  it('takes an authority for no key of a host, and names it', async () => {
    const file = join(dir, 'theirs')
    await writeFile(file, `@cert-authority *.lan ${ED}\n`)
    const hosts = open([file])
    expect(await hosts.lookup('moth.lan', 22)).toEqual([])
    expect(await hosts.check('moth.lan', 22, requireKey(ED))).toEqual({ state: 'unknown' })
    expect(await hosts.authorities('moth.lan', 22)).toMatchObject([{ source: `${file}:1` }])
    expect(await hosts.authorities('moth.org', 22)).toEqual([])
  })

  it('looks under an alias without a port, and into the files that are named', async () => {
    const [usual, named] = [join(dir, 'usual'), join(dir, 'named')]
    await writeFile(usual, `moth ${RSA}\n`)
    await writeFile(named, `fleet ${ED}\n`)
    const hosts = open([usual])
    expect(await hosts.check('moth', 2222, requireKey(ED), { alias: 'fleet', files: [named] })).toMatchObject({ state: 'known' })
    expect(await hosts.lookup('moth', 22, { files: [named] })).toEqual([])
    await hosts.remember('moth', 2222, requireKey(RSA))
    expect((await hosts.lookup('moth', 2222, { alias: 'fleet', files: [named] })).map(({ key }) => key.type)).toEqual([
      'ssh-rsa',
      'ssh-ed25519',
    ])
  })

  it('keeps other names, markers and comments when it replaces a key, also when several are written at once', async () => {
    const file = join(dir, 'ssh/known_hosts')
    const hosts = open()
    await hosts.remember('first', 22, requireKey(ED))
    await writeFile(file, `# mine\nmoth,wasp ${RSA} old\n@revoked moth ${OTHER}\n@cert-authority * ${ED}\n`)
    await Promise.all([hosts.remember('moth', 22, requireKey(ED)), hosts.remember('bee', 22, requireKey(ED))])
    const text = await readFile(file, 'utf8')
    expect(text).toContain(`# mine\nwasp ${RSA} old\n@revoked moth ${OTHER}\n@cert-authority * ${ED}\n`)
    expect(await hosts.check('wasp', 22, requireKey(RSA))).toMatchObject({ state: 'known' })
    for (const host of ['moth', 'bee']) expect(await hosts.check(host, 22, requireKey(ED))).toMatchObject({ state: 'known' })
    expect(await hosts.check('moth', 22, requireKey(OTHER))).toMatchObject({ state: 'changed', entry: { revoked: true } })
  })
})
