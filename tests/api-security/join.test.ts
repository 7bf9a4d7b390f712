import { afterAll, beforeAll, expect, it } from 'vitest'
import { certificateSigningRequest } from '../../electron/api/certificates/v1/certificate-signing-request.ts'
import { lease } from '../../electron/api/coordination/v1/lease.ts'
import { namespace } from '../../electron/api/core/v1/namespace.ts'
import { node } from '../../electron/api/core/v1/node.ts'
import { secret } from '../../electron/api/core/v1/secret.ts'
import { generateKeys, privateKeyPem } from '../../electron/apiserver/pki/certificate.ts'
import * as x509 from '../../electron/machinery/x509.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { readBody } from '../../electron/client/bytes.ts'
import { createRemoteClient, type RemoteClient } from '../../electron/client/remote-client.ts'
import { startSecureServer, type SecureServer } from './secure-server.ts'

let server: SecureServer
const clients: RemoteClient[] = []
beforeAll(async () => {
  server = await startSecureServer()
  for (const name of ['kube-system', 'kube-node-lease']) await server.admin.create(namespace, { metadata: { name } }).catch(() => undefined)
})
afterAll(async () => {
  for (const client of clients) await client[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const connect = (identity: { token?: string; certificate?: { cert: string; key: string } }): RemoteClient => {
  const client = createRemoteClient({
    server: server.url,
    ca: server.pki.caPem,
    servername: 'kubernetes.default.svc',
    identity: () => identity,
    clock: systemClock,
  })
  clients.push(client)
  return client
}

it('a machine joins with a bootstrap token, gets a certificate for its own request, and is the node then', async () => {
  const stringData = {
    'token-id': 'abcdef',
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-authentication': 'true',
    expiration: new Date(Date.now() + 60_000).toISOString(),
  }
  await server.admin.create(secret, {
    metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    stringData,
  })
  const joining = connect({ token: 'abcdef.0123456789abcdef' })
  await expect(joining.list(secret, { namespace: 'kube-system' })).rejects.toMatchObject({ reason: 'Forbidden' })
  await expect(connect({ token: 'abcdef.0123456789abcdeX' }).list(node)).rejects.toMatchObject({ reason: 'Unauthorized' })

  const keys = await generateKeys()
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: new x509.Name([{ O: ['system:nodes'] }, { CN: ['system:node:moth'] }]),
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  })
  const made = await joining.create(certificateSigningRequest, {
    metadata: { name: 'csr-moth' },
    spec: {
      request: Buffer.from(request.toString('pem')).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: ['digital signature', 'client auth'],
    },
  })
  expect(made.spec).toMatchObject({
    username: 'system:bootstrap:abcdef',
    groups: expect.arrayContaining(['system:bootstrappers']) as string[],
  })

  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: made.spec.username,
      groups: made.spec.groups,
      resourceAttributes: {
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        subresource: 'nodeclient',
        verb: 'create',
      },
    },
  }
  const answer = await server.admin.request({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(review),
  })
  expect(JSON.parse((await readBody(answer)).toString())).toMatchObject({ status: { allowed: true } })

  const pem = Buffer.from(made.spec.request, 'base64').toString()
  const cert = await server.pki.signer.sign(pem, { usages: made.spec.usages ?? [] })
  const moth = connect({ certificate: { cert, key: await privateKeyPem(keys.privateKey) } })
  await moth.create(node, { metadata: { name: 'moth' } })
  await moth.create(lease, { metadata: { name: 'moth', namespace: 'kube-node-lease' }, spec: { holderIdentity: 'moth' } })
  await expect(moth.create(node, { metadata: { name: 'wasp' } })).rejects.toMatchObject({ reason: 'Forbidden' })
  await expect(moth.create(lease, { metadata: { name: 'wasp', namespace: 'kube-node-lease' } })).rejects.toMatchObject({
    reason: 'Forbidden',
  })
})
