import { duplexPair } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { algorithmsFor, askAlgorithms, DEFAULT_ALGORITHMS, noCommonAlgorithm, parseGreeting } from './algorithms.ts'

const list = (names: readonly string[]) => {
  const text = Buffer.from(names.join(','))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  return Buffer.concat([length, text])
}
/** What OpenSSH sends first. */
function greeting(offer: { kex: string[]; hostKey: string[]; cipher: string[]; mac: string[] }): Buffer {
  const payload = Buffer.concat([
    Buffer.of(20),
    Buffer.alloc(16),
    ...[offer.kex, offer.hostKey, offer.cipher, offer.cipher, offer.mac, offer.mac, ['none'], ['none'], [], []].map(list),
    Buffer.alloc(5),
  ])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(payload.length + 5)
  head[4] = 4
  return Buffer.concat([Buffer.from('Welcome\r\nSSH-2.0-OpenSSH_5.3\r\n'), head, payload, Buffer.alloc(4)])
}
const OLD = {
  kex: ['diffie-hellman-group14-sha1', 'kex-strict-s-v00@openssh.com'],
  hostKey: ['ssh-rsa'],
  cipher: ['aes256-cbc', '3des-cbc'],
  mac: ['hmac-sha1'],
}

describe('algorithmsFor', () => {
  it('adds, removes, prefers or replaces as ssh_config says, old ones by name only', () => {
    expect(algorithmsFor({})).toEqual(DEFAULT_ALGORITHMS)
    expect(algorithmsFor({ cipher: '+aes256-cbc,nonsense' }).cipher).toEqual([...DEFAULT_ALGORITHMS.cipher, 'aes256-cbc'])
    expect(algorithmsFor({ cipher: '-aes*-ctr' }).cipher).toEqual(DEFAULT_ALGORITHMS.cipher.filter((name) => !name.endsWith('-ctr')))
    expect(algorithmsFor({ mac: '^hmac-sha2-512' }).mac.slice(0, 2)).toEqual(['hmac-sha2-512', 'hmac-sha2-256-etm@openssh.com'])
    expect(algorithmsFor({ kex: 'ecdh-sha2-nistp521' }).kex).toEqual(['ecdh-sha2-nistp521'])
    expect(algorithmsFor({ kex: 'sntrup761x25519-sha512@openssh.com' }).kex).toEqual(DEFAULT_ALGORITHMS.kex)
  })
})

describe("a host's greeting", () => {
  it('is read after lines before it, in pieces', async () => {
    const [stream, host] = duplexPair()
    const bytes = greeting(OLD)
    expect(parseGreeting(bytes.subarray(0, 60))).toBeNull()
    const asking = askAlgorithms(stream, new FakeClock(), 1000)
    for (let at = 0; at < bytes.length; at += 37) host.write(bytes.subarray(at, at + 37))
    expect(await asking).toEqual({ ...OLD, kex: ['diffie-hellman-group14-sha1'], software: 'OpenSSH_5.3' })
    expect(stream.destroyed).toBe(true)
  })

  it('that does not come is not waited for', async () => {
    const clock = new FakeClock()
    const asking = askAlgorithms(duplexPair()[0], clock, 1000)
    await clock.advance(1000)
    expect(await asking).toBeNull()
  })
})

describe('noCommonAlgorithm', () => {
  const theirs = { ...DEFAULT_ALGORITHMS, software: 'OpenSSH_9.9' }

  it('names both sides and the option that would help', () => {
    const error = noCommonAlgorithm('moth', DEFAULT_ALGORITHMS, { ...theirs, ...OLD, kex: DEFAULT_ALGORITHMS.kex })
    expect(error).toMatchObject({
      code: 'SSH_UNREACHABLE',
      what: 'moth and Flotilla have no cipher algorithm in common.',
      why: `The host (OpenSSH_9.9) offers aes256-cbc, 3des-cbc; Flotilla offers ${DEFAULT_ALGORITHMS.cipher.join(', ')}.`,
      next: expect.stringContaining('Ciphers +aes256-cbc') as string,
    })
    const kex = noCommonAlgorithm('moth', DEFAULT_ALGORITHMS, { ...theirs, kex: ['sntrup761x25519-sha512@openssh.com'] })
    expect(kex?.next).toBe("Allow one of Flotilla's in KexAlgorithms of its sshd_config.")
  })

  it('does not ask for a MAC where the cipher has its own, and finds nothing where all fits', () => {
    expect(noCommonAlgorithm('moth', DEFAULT_ALGORITHMS, { ...theirs, mac: ['umac-128@openssh.com'] })).toBeNull()
    const ctr = { ...theirs, cipher: ['aes128-ctr'], mac: ['umac-128@openssh.com'] }
    expect(noCommonAlgorithm('moth', DEFAULT_ALGORITHMS, ctr)?.what).toContain('no MAC algorithm')
    expect(noCommonAlgorithm('moth', DEFAULT_ALGORITHMS, theirs)).toBeNull()
  })
})
