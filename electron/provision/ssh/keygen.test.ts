import ssh2 from 'ssh2'
import { describe, expect, it } from 'vitest'
import { seededRandom, type Random } from '../../base/random.ts'
import { keyText, publicKey } from './host-key.ts'
import { newKeyPair } from './keygen.ts'

describe('newKeyPair', () => {
  it('makes keys that sign for their public half', () => {
    const random = seededRandom(1)
    for (let i = 0; i < 20; i++) {
      const pair = newKeyPair(random, 'x'.repeat(i))
      const parsed = ssh2.utils.parseKey(pair.privateText)
      if (parsed instanceof Error) throw parsed
      expect(keyText(publicKey(parsed.getPublicSSH()))).toBe(pair.publicText)
      const other = ssh2.utils.parseKey(pair.publicText)
      if (other instanceof Error) throw other
      expect(other.verify(Buffer.from('hello'), parsed.sign('hello'))).toBe(true)
      expect(parsed.comment).toBe('x'.repeat(i))
    }
  })

  it('keeps a public key that begins with zero', () => {
    const random = seededRandom(2)
    const firstOf = (pair: { publicKey: { blob: Buffer } }) => pair.publicKey.blob.at(-32)
    let pair = newKeyPair(random, '')
    for (let i = 0; firstOf(pair) !== 0; i++) {
      if (i > 5000) throw new Error('no such key came up')
      pair = newKeyPair(random, '')
    }
    expect(pair.publicKey.blob).toHaveLength(51)
    expect(ssh2.utils.parseKey(pair.privateText)).not.toBeInstanceOf(Error)
    expect(ssh2.utils.parseKey(pair.publicText)).not.toBeInstanceOf(Error)
  })

  it('knows the key pair of RFC 8032, section 7.1, test 1', () => {
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
    const random: Random = { float: () => 0, uuid: () => '', bytes: (length) => seed.subarray(0, length) }
    expect(newKeyPair(random, '').publicKey.blob.subarray(-32).toString('hex')).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    )
  })
})
