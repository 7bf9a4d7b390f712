import { X509Certificate } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { certificateSigningRequest as csrKind } from '../../api/certificates/v1/certificate-signing-request.ts'
import type { CertificateSigningRequestSpec } from '../../api/certificates/v1/types.gen.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { machine as machineKind } from '../../api/infra/v1alpha1/machine.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { createAuthority, generateKeys } from '../../apiserver/pki/certificate.ts'
import { createSigner } from '../../apiserver/pki/signer.ts'
import { RbacPolicy } from '../../apiserver/authz/policy.ts'
import { reviewResponders } from '../../apiserver/authz/reviews.ts'
import type { Authorizer, UserInfo } from '../../apiserver/types.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import * as x509 from '../../machinery/x509.ts'
import { startCluster, type TestCluster } from '../testing/cluster.ts'

const only = ['approving', 'signing', 'cleaner'].map((part) => `certificatesigningrequest-${part}-controller`)
const HOUR = 3_600_000
const BOOTSTRAP: UserInfo = { name: 'system:bootstrap:abcdef', groups: ['system:bootstrappers', 'system:authenticated'] }
const MOTH: UserInfo = { name: 'system:node:moth', groups: ['system:nodes', 'system:authenticated'] }
const SUBJECT = 'O=system:nodes, CN=system:node:moth'
const CLIENT: Draft<CertificateSigningRequestSpec> = {
  signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
  usages: ['digital signature', 'client auth'],
}
const SERVING: Draft<CertificateSigningRequestSpec> = {
  signerName: 'kubernetes.io/kubelet-serving',
  usages: ['digital signature', 'server auth'],
}

/** Who joins may ask for a node's certificate, a node for its own anew: as the default roles say. */
const authorize: Authorizer = async ({ user, resource }) => {
  const rights: Record<string, string> = { nodeclient: 'system:bootstrappers', selfnodeclient: 'system:nodes' }
  const group = rights[resource?.subresource ?? '']
  return { allowed: group === undefined || user.groups.includes(group), reason: '' }
}

async function start(): Promise<TestCluster> {
  const clock = new FakeClock()
  const random = seededRandom(7)
  const now = clock.now()
  const authority = await createAuthority({ commonName: 'ca', notBefore: now - HOUR, notAfter: now + 20_000 * HOUR, random })
  return startCluster({
    only,
    server: { clock, authorize, responders: reviewResponders(new RbacPolicy(), authorize) },
    options: { signer: createSigner({ authority, clock, random }) },
  })
}

async function pem(subject: string, names: readonly { type: x509.GeneralNameType; value: string }[] = []): Promise<string> {
  const extensions = names.length > 0 ? [new x509.SubjectAlternativeNameExtension([...names])] : []
  const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' }
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: new x509.Name(subject),
    keys: await generateKeys(),
    extensions,
    signingAlgorithm,
  })
  return Buffer.from(request.toString('pem')).toString('base64')
}

async function ask(cluster: TestCluster, user: UserInfo, spec: Draft<CertificateSigningRequestSpec>) {
  const name = `csr-${(await cluster.client.list(csrKind)).items.length}`
  await cluster.server.server.clientFor(user).create(csrKind, { metadata: { name }, spec })
  return { name, ...(await answer(cluster, name)) }
}

/** Signing takes real time, of which the clock knows nothing. */
async function answer(cluster: TestCluster, name: string) {
  await cluster.quiet()
  const status = await vi.waitFor(
    async () => {
      const request = await cluster.client.get(csrKind, { name })
      const types = request.status.conditions?.map(({ type }) => type) ?? []
      const isDue = types.includes('Approved') && !types.includes('Failed') && request.spec.signerName.startsWith('kubernetes.io/')
      expect(isDue && !request.status.certificate).toBe(false)
      return request.status
    },
    { timeout: 20_000 },
  )
  await cluster.quiet()
  return status
}

const issued = (certificate: string | undefined) => new X509Certificate(Buffer.from(certificate ?? '', 'base64'))
const dns = (value: string) => ({ type: 'dns' as const, value })
const ip = (value: string) => ({ type: 'ip' as const, value })

describe('certificates for kubelets', () => {
  it('gives a machine that joins its client certificate, and the node a new one later', async () => {
    await using cluster = await start()
    const joined = await ask(cluster, BOOTSTRAP, { ...CLIENT, request: await pem(SUBJECT), expirationSeconds: 3600 })
    expect(joined.conditions).toMatchObject([
      { type: 'Approved', status: 'True', reason: 'AutoApproved', message: expect.stringContaining('client') as string },
    ])
    const certificate = issued(joined.certificate)
    expect(certificate.subject).toBe('O=system:nodes\nCN=system:node:moth')
    expect(Date.parse(certificate.validTo)).toBe(cluster.clock.now() + HOUR)
    const renewed = await ask(cluster, MOTH, { ...CLIENT, request: await pem(SUBJECT) })
    expect(renewed.conditions?.[0]?.message).toContain('self')
    expect(renewed.certificate).toBeDefined()
    expect(cluster.complaints).toEqual([])
  })

  it.each<[what: string, user: UserInfo, subject: string, more: Draft<CertificateSigningRequestSpec>]>([
    ['a node that asks for another', MOTH, 'O=system:nodes, CN=system:node:wasp', {}],
    ['somebody else', { name: 'jane', groups: ['system:authenticated'] }, SUBJECT, {}],
    ['a master', BOOTSTRAP, 'O=system:masters, CN=system:node:moth', {}],
    ['two groups', BOOTSTRAP, 'O=system:nodes, O=system:masters, CN=system:node:moth', {}],
    ['two names', BOOTSTRAP, 'O=system:nodes, CN=system:node:moth, CN=admin', {}],
    ['no node', BOOTSTRAP, 'O=system:nodes, CN=moth', {}],
    ['other usages', BOOTSTRAP, SUBJECT, { usages: ['digital signature', 'client auth', 'server auth'] }],
    ['another signer', BOOTSTRAP, SUBJECT, { signerName: 'kubernetes.io/kube-apiserver-client' }],
  ])('leaves %s waiting', async (_, user, subject, more) => {
    await using cluster = await start()
    const { conditions, certificate } = await ask(cluster, user, { ...CLIENT, request: await pem(subject), ...more })
    expect([conditions, certificate]).toEqual([undefined, undefined])
    expect(cluster.complaints).toEqual([])
  })

  it('gives a node a serving certificate for its name and the addresses that it is known by', async () => {
    await using cluster = await start()
    const { client } = cluster
    const wanted = [dns('moth'), ip('192.0.2.7'), ip('2001:db8::7')]
    const { name, conditions } = await ask(cluster, MOTH, { ...SERVING, request: await pem(SUBJECT, wanted) })
    expect(conditions).toBeUndefined()
    await client.create(machineKind, {
      metadata: { name: 'moth' },
      spec: { provider: 'sandbox', nodeIP: '192.0.2.7' },
    })
    await cluster.quiet()
    expect((await client.get(csrKind, { name })).status.conditions).toBeUndefined()
    await client.create(nodeKind, {
      metadata: { name: 'moth' },
      status: { addresses: [{ type: 'InternalIP', address: '2001:DB8:0::7' }] },
    })
    const status = await answer(cluster, name)
    expect(status.conditions).toMatchObject([{ type: 'Approved', reason: 'AutoApproved' }])
    expect(issued(status.certificate).subjectAltName).toBe('DNS:moth, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7')
  })

  it.each<[what: string, user: UserInfo, names: readonly { type: x509.GeneralNameType; value: string }[]]>([
    ['of nobody', MOTH, []],
    ['of another name', MOTH, [dns('wasp')]],
    ["of the API server's name", MOTH, [dns('moth'), dns('kubernetes.default.svc')]],
    ['of a strange address', MOTH, [dns('moth'), ip('10.96.0.1')]],
    ['of a person', MOTH, [dns('moth'), { type: 'email', value: 'moth@example.com' }]],
    ['of a place', MOTH, [dns('moth'), { type: 'url', value: 'https://moth' }]],
    ['for another node', { ...MOTH, name: 'system:node:wasp' }, [dns('moth')]],
    ['for who only joins', BOOTSTRAP, [dns('moth')]],
  ])('gives no serving certificate %s', async (_, user, names) => {
    await using cluster = await start()
    await cluster.client.create(nodeKind, {
      metadata: { name: 'moth' },
      status: { addresses: [{ type: 'InternalIP', address: '192.0.2.7' }] },
    })
    const { conditions } = await ask(cluster, user, { ...SERVING, request: await pem(SUBJECT, names) })
    expect(conditions).toBeUndefined()
  })

  it('says of what was approved by hand why it cannot be signed', async () => {
    await using cluster = await start()
    const { client } = cluster
    const approve = async (spec: Draft<CertificateSigningRequestSpec>) => {
      const { name } = await ask(cluster, { name: 'jane', groups: [] }, spec)
      const made = await client.get(csrKind, { name })
      const approved = { type: 'Approved', status: 'True', reason: 'ByHand' }
      await client.update(csrKind, { ...made, status: { conditions: [approved] } }, { subresource: 'approval' })
      return answer(cluster, name)
    }
    const person = await approve({
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
      request: await pem('CN=jane'),
    })
    expect(issued(person.certificate).subject).toBe('CN=jane')
    const odd = await approve({ ...CLIENT, request: await pem('CN=jane') })
    expect(odd.certificate).toBeUndefined()
    expect(odd.conditions?.[1]).toMatchObject({
      type: 'Failed',
      reason: 'SignerValidationFailure',
      message: 'subject organization is not system:nodes',
    })
    const server = await approve({
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['server auth'],
      request: await pem('CN=jane'),
    })
    expect(server.conditions?.[1]?.message).toBe('invalid usage for client certificate: server auth')
    const foreign = await approve({ signerName: 'example.com/mine', usages: ['client auth'], request: await pem('CN=jane') })
    expect(foreign).toMatchObject({ conditions: [{ type: 'Approved' }] })
    expect(foreign.certificate).toBeUndefined()
  })

  it('takes away what was issued after an hour, and what nobody decided on after a day', async () => {
    await using cluster = await start()
    const names = async () => (await cluster.client.list(csrKind)).items.map(({ metadata }) => metadata.name)
    const { name } = await ask(cluster, BOOTSTRAP, { ...CLIENT, request: await pem(SUBJECT) })
    const pending = await ask(cluster, BOOTSTRAP, { ...SERVING, request: await pem(SUBJECT, [dns('moth')]) })
    await cluster.advance(HOUR - 1000)
    expect(await names()).toEqual([name, pending.name])
    await cluster.advance(1000)
    expect(await names()).toEqual([pending.name])
    await cluster.advance(22 * HOUR)
    expect(await names()).toEqual([pending.name])
    await cluster.advance(HOUR)
    expect(await names()).toEqual([])
  })
})
