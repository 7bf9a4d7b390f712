import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seededRandom } from '../../base/random.ts'
import { Authentication } from './auth.ts'
import { newKeyPair } from './keygen.ts'
import { ensureClusterKey, loadKey, parseKey } from './keys.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'keys-'))
})
afterEach(() => rm(dir, { recursive: true }))

const random = seededRandom(1)
const plain = () => newKeyPair(random, '').privateText
/** Made by `ssh-keygen -t ed25519 -N pass`. */
const ENCRYPTED = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABBvTQ47e9
VaRgcjPssHY8dnAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIDswZgIp9QkgHPbP
LKK93aU7Dggr5luMBT478TnugoVQAAAAkOoMSivbpOJTuT5JRSkcuqyHZcSCkawDu1aCgh
OhdJkPNNiMINfRNdqKI7PJw5H5NOgeSHLv3Z6qTycDvTsbTJsaQTLYUNOW2twp6vDyegVv
fTD4vELvnhoIcyDqoZoDwhZT1ISiE3GmJAdjw5GiQxEQ011ODg7RjSjuTLs+7+UT9OpMyK
YZfG/yiA5Smd4krg==
-----END OPENSSH PRIVATE KEY-----
`

describe('loadKey', () => {
  const unusable = (why: string) => ({ code: 'SSH_KEY_UNUSABLE', why })

  it('reads a key of ssh-keygen and gives its public half', async () => {
    const { privateText, publicText } = newKeyPair(random, 'me')
    await writeFile(join(dir, 'key'), privateText)
    expect((await loadKey(join(dir, 'key'))).publicText).toBe(publicText)
  })

  it('asks for a passphrase, and says when it is wrong', async () => {
    await writeFile(join(dir, 'key'), ENCRYPTED)
    await expect(loadKey(join(dir, 'key'))).rejects.toMatchObject(unusable('It is encrypted, and no passphrase was given.'))
    await expect(loadKey(join(dir, 'key'), 'guess')).rejects.toMatchObject(unusable('The passphrase is wrong.'))
    await expect(loadKey(join(dir, 'key'), 'pass')).resolves.toMatchObject({ source: join(dir, 'key') })
  })

  it('reads what openssl writes, encrypted or not', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ type: 'pkcs8', format: 'pem' })
    expect(parseKey(ec, 'ec').publicText).toMatch(/^ecdsa-sha2-nistp256 /)
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'secret',
    })
    expect(parseKey(rsa, 'rsa', 'secret').publicText).toMatch(/^ssh-rsa /)
    expect(() => parseKey(rsa, 'rsa')).toThrow(/no passphrase was given/)
    expect(() => parseKey(rsa, 'rsa', 'guess')).toThrow(/passphrase is wrong/)
  })

  it('names a file that is missing, a folder, a public key, or something else', async () => {
    await expect(loadKey(join(dir, 'none'))).rejects.toMatchObject(unusable('There is no such file.'))
    await expect(loadKey(dir)).rejects.toMatchObject(unusable('It is a folder.'))
    expect(() => parseKey(newKeyPair(random, 'me').publicText, 'key.pub')).toThrow(/It is a public key/)
    expect(() => parseKey('hello', 'notes.txt')).toThrow(/It is not a private key/)
  })

  it('names formats that are not read, and the way out', () => {
    const string = (text: string) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(text.length)
      return Buffer.concat([length, Buffer.from(text, 'latin1')])
    }
    const openSsh = (cipher: string, type: string) => {
      const parts = [string(cipher), string('none'), string(''), Buffer.of(0, 0, 0, 1), string(string(type).toString('latin1'))]
      const body = Buffer.concat([Buffer.from('openssh-key-v1\0'), ...parts]).toString('base64')
      return `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`
    }
    const why = (text: string) => {
      try {
        return parseKey(text, '/k')
      } catch (error) {
        return error
      }
    }
    expect(why(openSsh('none', 'sk-ssh-ed25519@openssh.com'))).toMatchObject({
      why: 'Its secret is in a security key (FIDO), which only ssh itself can ask.',
    })
    expect(why(openSsh('chacha20-poly1305@openssh.com', 'ssh-ed25519'))).toMatchObject({
      why: 'It is encrypted with chacha20-poly1305@openssh.com, which is not read.',
      next: 'Encrypt it in another way: ssh-keygen -p -Z aes256-ctr -f /k',
    })
    expect(why('PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n')).toMatchObject({
      why: 'It is a PuTTY key of version 3 (ssh-ed25519), of which only version 2 with RSA is read.',
    })
    expect(why(openSsh('aes256-ctr', 'ssh-ed25519'))).toMatchObject({ why: 'It is not a private key.' })
  })
})

describe('ensureClusterKey', () => {
  it('makes a key once, which only its owner can read', async () => {
    const path = join(dir, 'ssh/id')
    const first = await ensureClusterKey(path, 'flotilla')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readFile(`${path}.pub`, 'utf8')).toBe(`${first.publicText} flotilla\n`)
    expect((await ensureClusterKey(path, 'flotilla')).publicText).toBe(first.publicText)
  })
})

describe('Authentication', () => {
  /** Plays a host that refuses everything; `left` is what it says it accepts. */
  function play(auth: Authentication, left: string[], partial = false): string[] {
    const tried: string[] = []
    for (let told: string[] | null = null; ; told = left) {
      let next: unknown
      auth.handler(told, told && partial, (method) => (next = method))
      if (next === false) return tried
      tried.push((next as { type: string }).type)
    }
  }
  const key = () => parseKey(plain(), '/home/ana/.ssh/id')

  it('tries only what the host accepts, keys before the password', () => {
    const signIn = { keys: [key()], agent: '/agent', password: 'x' }
    expect(play(new Authentication('ana', signIn), ['publickey', 'password'])).toEqual(['none', 'publickey', 'agent', 'password'])
    expect(play(new Authentication('ana', signIn), ['publickey'])).toEqual(['none', 'publickey', 'agent'])
  })

  it('gives a password to a host that only asks questions, and never twice in two ways', () => {
    expect(play(new Authentication('ana', { password: 'x' }), ['keyboard-interactive'])).toEqual(['none', 'keyboard-interactive'])
    expect(play(new Authentication('ana', { password: 'x' }), ['password', 'keyboard-interactive'])).toEqual(['none', 'password'])
  })

  it('names what was refused and what the host accepts', () => {
    const wrong = new Authentication('ana', { password: 'x', keys: [key()] })
    play(wrong, ['publickey', 'password'])
    expect(wrong.failure('moth')).toMatchObject({
      code: 'SSH_AUTH_FAILED',
      what: 'Could not sign in to moth as ana.',
      why: 'It refused the key /home/ana/.ssh/id and the password. It accepts publickey, password.',
      next: 'Check the user name and the password.',
    })
    const useless = new Authentication('ana', { password: 'x' })
    play(useless, ['publickey'])
    expect(useless.failure('moth')).toMatchObject({
      why: 'Nothing that was given could be tried. It accepts publickey.',
      next: 'Use a key file or your ssh-agent: this host takes no passwords.',
    })
    expect(JSON.stringify(wrong.failure('moth'))).not.toContain('"x"')
  })

  /** Asks an attempt at keyboard-interactive these questions. */
  function asked(auth: Authentication, ...questions: [prompt: string, echo?: boolean][]): string[] {
    let given: string[] = []
    auth.handler(null, null, () => undefined)
    auth.handler(['keyboard-interactive'], false, (method) => {
      if (method && method.type === 'keyboard-interactive') {
        const prompts = questions.map(([prompt, echo = false]) => ({ prompt, echo }))
        method.prompt('', '', '', prompts, (answers) => (given = answers))
      }
    })
    return given
  }

  it('answers several questions, each with what it asks for', () => {
    const auth = new Authentication('ana', { password: 'x', code: '123456' })
    expect(asked(auth, ['Password: '], ['Verification code: ', true], ['Password & verification code: '], ['(root) '])).toEqual([
      ...['x', '123456', 'x', 'x'],
    ])
  })

  it('names questions that it had no answer for', () => {
    const auth = new Authentication('ana', { password: 'x' })
    expect(asked(auth, ['Password: '], ['Verification code: '], ['Favourite colour? ', true])).toEqual(['x', '', ''])
    expect(auth.failure('moth')).toMatchObject({
      why: 'It refused the password. It accepts keyboard-interactive. It also asks: "Verification code", "Favourite colour".',
      next: 'Use a key or an ssh-agent that needs no second factor, or give a code with: flotilla node add --code',
    })
  })

  it('goes on after a method that was taken but is not enough, and says which', () => {
    const auth = new Authentication('ana', { keys: [key()], password: 'x' })
    const next = (left: string[] | null, partial: boolean): string => {
      let type = 'none left'
      auth.handler(left, partial, (method) => method && (type = method.type))
      return type
    }
    expect([next(null, false), next(['publickey'], false), next(['keyboard-interactive'], true)]).toEqual([
      ...['none', 'publickey', 'keyboard-interactive'],
    ])
    expect(auth.failure('moth').why).toBe(
      'It took the key /home/ana/.ssh/id and wants more. It refused the password. It accepts keyboard-interactive.',
    )
  })

  it('tells a password that has expired, and keys that were too many', () => {
    const expired = new Authentication('ana', { password: 'x' })
    asked(expired, ['New password: '])
    expect(expired.failure('moth').why).toBe('The password has expired, and the host wants a new one.')
    const many = new Authentication('ana', { agent: '/agent' })
    play(many, ['publickey'])
    expect(many.failure('moth', new Error('Too many authentication failures')).why).toBe(
      'It refused the keys of the ssh-agent. Then it ended the sign-in: too many keys were offered.',
    )
  })
})
