/** Has a certificate request signed by the cluster. Source: Kubernetes "Certificate Signing Requests", certificates.k8s.io/v1. */
import { sleep } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import { certificateSigningRequest } from '../../api/certificates/v1/certificate-signing-request.ts'
import type { CertificateSigningRequest } from '../../api/certificates/v1/types.gen.ts'
import type { Client } from '../../client/client.ts'

export interface SigningDeps {
  readonly client: Pick<Client, 'create' | 'get'>
  readonly clock: Clock
}

export type Usage = NonNullable<CertificateSigningRequest['spec']['usages']>[number]

export interface SigningInput {
  /** PEM. */
  readonly request: string
  readonly signerName: string
  readonly usages: readonly Usage[]
}

const FIRST_LOOK = 250
const LONGEST_LOOK = 5000
/** A request that nobody answers is given up, and made anew by who wants it. */
const PATIENCE = 15 * 60_000

/** PEM of the certificate. Throws Error when it is denied or not answered, Status when the API server cannot be reached. */
export async function signCertificate({ client, clock }: SigningDeps, input: SigningInput, signal: AbortSignal): Promise<string> {
  const made = await client.create(
    certificateSigningRequest,
    {
      metadata: { generateName: 'node-csr-' },
      spec: { request: Buffer.from(input.request).toString('base64'), signerName: input.signerName, usages: [...input.usages] },
    },
    { signal },
  )
  const { name } = made.metadata
  const end = clock.monotonic() + PATIENCE
  for (let wait = FIRST_LOOK; ; wait = Math.min(wait * 1.5, LONGEST_LOOK)) {
    await sleep(clock, wait, signal)
    const certificate = certificateOf(await client.get(certificateSigningRequest, { name }, { signal }))
    if (certificate !== null) return certificate
    if (clock.monotonic() > end) throw new Error(`certificate request ${name} was not answered within ${PATIENCE / 60_000} minutes`)
  }
}

function certificateOf({ metadata: { name }, status }: CertificateSigningRequest): string | null {
  for (const { type, status: value, reason, message } of status.conditions ?? []) {
    if (value === 'False' || (type !== 'Denied' && type !== 'Failed')) continue
    throw new Error(
      `certificate request ${name} was ${type === 'Denied' ? 'denied' : 'not signed'}: ${[reason, message].filter(Boolean).join(': ')}`,
    )
  }
  return status.certificate ? Buffer.from(status.certificate, 'base64').toString() : null
}
