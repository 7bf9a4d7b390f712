/** Certificates for somebody's webhooks, as a cluster's certificate manager would hand them out. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createAuthority, generateKeys, issue, privateKeyPem, SERVER_AUTH } from '../../../electron/apiserver/pki/certificate.ts'
import { systemClock } from '../../../electron/base/clock.ts'
import { systemRandom } from '../../../electron/base/random.ts'

const DAY = 24 * 3600_000

/** Writes `tls.crt`, `tls.key` and `ca.crt` for 127.0.0.1. */
export async function writeCertificates(dir: string): Promise<void> {
  const now = systemClock.now()
  const times = { notBefore: now - DAY, notAfter: now + DAY }
  const authority = await createAuthority({ commonName: 'webhooks-ca', ...times, random: systemRandom })
  const { publicKey, privateKey } = await generateKeys()
  const leaf = { subject: { commonName: 'webhooks' }, publicKey, ...times, usages: SERVER_AUTH, names: ['127.0.0.1'] }
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'tls.crt'), await issue(authority, leaf, systemRandom))
  await writeFile(join(dir, 'tls.key'), await privateKeyPem(privateKey), { mode: 0o600 })
  await writeFile(join(dir, 'ca.crt'), authority.cert.toString('pem'))
}
