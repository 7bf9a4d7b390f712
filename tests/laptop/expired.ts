import { systemClock } from '../../electron/base/clock.ts'
import { systemRandom } from '../../electron/base/random.ts'
import { CLIENT_AUTH, generateKeys, issue, privateKeyPem } from '../../electron/apiserver/pki/certificate.ts'
import { openState, DAY } from '../../electron/apiserver/pki/state.ts'
import { paths } from '../../electron/plane/state-dir.ts'

/** A node's key and certificate of 400 days ago, which held for a year. */
export async function expiredCertificate(stateDir: string, node: string): Promise<string> {
  const { authority } = await openState({ dir: paths(stateDir).pki, clock: systemClock, random: systemRandom })
  const { privateKey, publicKey } = await generateKeys()
  // Of an authority that is younger, no certificate can be older: what counts is that it is over.
  const notAfter = Math.max(systemClock.now() - 35 * DAY, authority.cert.notBefore.getTime() + 1000)
  const subject = { commonName: `system:node:${node}`, organizations: ['system:nodes'] }
  const validity = { notBefore: systemClock.now() - 400 * DAY, notAfter }
  const cert = await issue(authority, { subject, publicKey, usages: CLIENT_AUTH, names: [node], ...validity }, systemRandom)
  return `${await privateKeyPem(privateKey)}${cert}`
}
