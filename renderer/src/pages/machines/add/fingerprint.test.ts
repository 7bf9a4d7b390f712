import { describe, expect, it } from 'vitest'
import { fingerprintOf } from './fingerprint.ts'

describe('a fingerprint', () => {
  it('is what ssh-keygen -l prints', async () => {
    const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKa9Cm8HDRYp0MeigTUogRddhdOoD1bJbYdoSvdzXGbE'
    expect(await fingerprintOf(key)).toBe('SHA256:li3AEiSTf4QCpZUgGPKO/sNlhvbG60BRvUDUJaGTSKc')
  })

  it('is empty for what is no key', async () => {
    expect(await fingerprintOf('')).toBe('')
    expect(await fingerprintOf('ssh-ed25519 AAAAC')).toBe('')
  })
})
