import { describe, expect, it } from 'vitest'
import type { CertificateSigningRequest } from '../../api/certificates/v1/types.gen.ts'
import { defineKind } from '../../api/kind.ts'
import { generateKeys } from '../pki/certificate.ts'
import * as x509 from '../../machinery/x509.ts'
import type { Call } from '../registry/registry.ts'
import type { AdmissionRequest, Authorizer } from '../types.ts'
import { certificateRequestCheck, certificateRequestHooks } from './certificate-requests.ts'

const kind = defineKind<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  resource: 'certificatesigningrequests',
  namespaced: false,
  model: 'io.k8s.api.certificates.v1.CertificateSigningRequest',
})
const SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet'
const request = (spec: Partial<CertificateSigningRequest['spec']> = {}, status: object = {}) =>
  ({
    kind: 'CertificateSigningRequest',
    apiVersion: 'certificates.k8s.io/v1',
    metadata: { name: 'r' },
    spec: { request: '', signerName: SIGNER, ...spec },
    status,
  }) as CertificateSigningRequest
const pem = async (...organizations: string[]) => {
  const name = new x509.Name([...organizations.map((o) => ({ O: [o] })), { CN: ['x'] }])
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name,
    keys: await generateKeys(),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  })
  return Buffer.from(csr.toString('pem')).toString('base64')
}
const allow =
  (...rights: string[]): Authorizer =>
  async ({ verb, resource }) => ({ allowed: rights.includes(`${verb} ${resource?.resource} ${resource?.name}`), reason: '' })
const check = (
  rights: string[],
  operation: 'CREATE' | 'UPDATE',
  subresource: string,
  object: CertificateSigningRequest,
  old: CertificateSigningRequest | null = null,
) => {
  const user = { name: 'jane', groups: [] }
  const admitted: AdmissionRequest = {
    operation,
    kind,
    subresource,
    namespace: '',
    name: 'r',
    object,
    old,
    user,
    signal: new AbortController().signal,
  }
  return certificateRequestCheck(allow(...rights))(admitted)
}
const refused = { reason: 'Forbidden' }

describe('a certificate request', () => {
  it('says who made it, whatever its maker wrote', () => {
    const made = request({ username: 'root', groups: ['system:masters'], uid: 'x', extra: { a: ['b'] } })
    const user = { name: 'jane', groups: ['g'], extra: { key: ['v'] } }
    void certificateRequestHooks.create?.(made, { user } as unknown as Call)
    expect(made.spec).toEqual({ request: '', signerName: SIGNER, username: 'jane', groups: ['g'], extra: { key: ['v'] } })
  })

  it('is approved by who may approve for its signer, by name or by domain', async () => {
    const approve = (...rights: string[]) => check(rights, 'UPDATE', 'approval', request({}, { conditions: [{}] }), request())
    await expect(approve()).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining(`not permitted to approve requests with signerName "${SIGNER}"`) as string,
    })
    await expect(approve('sign signers kubernetes.io/*')).rejects.toMatchObject(refused)
    await approve(`approve signers ${SIGNER}`)
    await approve('approve signers kubernetes.io/*')
  })

  it('is signed by who may sign for the signer that it was made for', async () => {
    const sign = (...rights: string[]) =>
      check(rights, 'UPDATE', 'status', request({ signerName: 'mine/x' }, { certificate: 'x' }), request())
    await expect(sign('sign signers mine/x')).rejects.toMatchObject(refused)
    await sign(`sign signers ${SIGNER}`)
    await check([], 'UPDATE', 'status', request(), request())
  })

  it('for a client may not be for system:masters', async () => {
    const make = async (...groups: string[]) =>
      check([], 'CREATE', '', request({ signerName: 'kubernetes.io/kube-apiserver-client', request: await pem(...groups) }))
    await make('devs')
    await expect(make('devs', 'system:masters')).rejects.toMatchObject(refused)
    await expect(
      check([], 'CREATE', '', request({ signerName: 'kubernetes.io/kube-apiserver-client', request: 'x' })),
    ).rejects.toMatchObject(refused)
  })
})
