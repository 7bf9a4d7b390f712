import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { APIService } from '../../api/apiregistration/v1/types.ts'
import { apiService, KINDS, service } from '../../api/kinds.gen.ts'
import { sleep, systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { readBody } from '../../client/bytes.ts'
import { createAuthority, generateKeys, issue, privateKeyPem, SERVER_AUTH } from '../pki/certificate.ts'
import { mergeV2 } from '../openapi/merge-v2.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'
import { send } from '../testing/raw.ts'
import { authenticationData } from './front-proxy.ts'
import { difference, localServices, MANAGED } from './local-services.ts'

const GROUP = 'wardle.example.com'
const NAME = `v1.${GROUP}`
const ROOT = `/apis/${GROUP}/v1`
const FLUNDERS = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: `${GROUP}/v1`,
  resources: [
    { name: 'flunders', singularName: 'flunder', namespaced: true, kind: 'Flunder', verbs: ['get', 'list'], shortNames: ['fl'] },
    { name: 'flunders/status', singularName: '', namespaced: true, kind: 'Flunder', verbs: ['get'] },
  ],
}

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, unknown>
  readonly body: string
  /** Who the certificate says it is. */
  readonly client: string
}

let plane: TestServer
let extension: Server
let caBundle: string
let port: number
let seen: Seen[]
/** By path; others are answered with 404. */
let documents: Record<string, unknown>

beforeEach(async () => {
  seen = []
  documents = { [ROOT]: FLUNDERS, '/openapi/v3': { paths: { [ROOT.slice(1)]: { serverRelativeURL: `/openapi/v3${ROOT}?hash=AB` } } } }
  const times = { notBefore: Date.parse('2020-01-01'), notAfter: Date.parse('2040-01-01') }
  const authority = await createAuthority({ commonName: 'extension', ...times, random: systemRandom })
  caBundle = Buffer.from(authority.cert.toString('pem')).toString('base64')
  const { publicKey, privateKey } = await generateKeys()
  const leaf = { subject: { commonName: 'api' }, publicKey, ...times, usages: SERVER_AUTH, names: ['api.default.svc'] }
  const options = { cert: await issue(authority, leaf, systemRandom), key: await privateKeyPem(privateKey) }
  extension = createServer({ ...options, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    const { method = '', url = '', headers } = request
    const client = String((request.socket as TLSSocket).getPeerCertificate().subject?.CN)
    void text(request).then((body) => {
      seen.push({ method, url, headers, body, client })
      const path = url.replace(/\?.*/, '')
      const document = path in documents ? documents[path] : null
      response.writeHead(document === null ? 404 : 200, { 'content-type': 'application/json', 'x-own': 'yes' })
      response.end(JSON.stringify(document ?? { kind: 'Status', status: 'Failure', code: 404 }))
    })
  })
  extension.listen(0, '127.0.0.1')
  await once(extension, 'listening')
  port = (extension.address() as AddressInfo).port
  plane = await startTestServer()
})

afterEach(async () => {
  await plane.stop()
  extension.closeAllConnections()
  extension.close()
})

const reach = () =>
  plane.client.create(service, {
    metadata: { name: 'api', namespace: 'default' },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  })
const register = (more: object = {}) =>
  plane.client.create(apiService, {
    metadata: { name: NAME },
    spec: {
      ...{ group: GROUP, version: 'v1', groupPriorityMinimum: 1000, versionPriority: 15, caBundle },
      ...{ service: { namespace: 'default', name: 'api', port }, ...more },
    },
  })
const available = async (name = NAME) => (await plane.client.get(apiService, { name })).status.conditions?.[0]
const get = (path: string, accept?: string) => send(plane.client, 'GET', path, undefined, accept ? { accept } : {})

/** Waits for what real sockets bring. The test's clock goes no faster than they, so that no answer is late by it. */
async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) {
    await sleep(systemClock, 2)
    await plane.clock.advance(2)
  }
}
const untilAvailable = (status: string) => until(async () => (await available())?.status === status)

describe('an API service', () => {
  it('that this server is itself is always available', async () => {
    const spec = { group: 'apps', version: 'v1', groupPriorityMinimum: 17_800, versionPriority: 15 }
    await plane.client.create(apiService, { metadata: { name: 'v1.apps' }, spec })
    await until(async () => (await available('v1.apps')) !== undefined)
    expect(await available('v1.apps')).toMatchObject({ status: 'True', reason: 'Local', message: 'Local APIServices are always available' })
  })

  it('says what is missing, and when nothing is any more', async () => {
    await register()
    await untilAvailable('False')
    expect(await available()).toMatchObject({ reason: 'ServiceNotFound', message: 'service/api in "default" is not present' })
    const refused = await get(`${ROOT}/flunders`)
    expect([refused.status, refused.text]).toEqual([503, 'service unavailable\n'])
    await reach()
    await plane.clock.advance(2000)
    await untilAvailable('True')
    expect(await available()).toMatchObject({ reason: 'Passed', message: 'all checks passed' })
    delete documents[ROOT]
    // In steps that leave a real answer its time: a longer one would be the end of the server's patience.
    const failure = async () => {
      await plane.clock.advance(2000)
      return (await available())?.message
    }
    await expect
      .poll(failure)
      .toBe(`failing or missing response from https://api.default.svc:${port}${ROOT}: bad status from the server: 404`)
    expect(await available()).toMatchObject({ status: 'False', reason: 'FailedDiscoveryCheck' })
  })

  it('whose certificate nobody signed for it is not believed, unless that is not to count', async () => {
    await reach()
    await register({ caBundle: undefined })
    await untilAvailable('False')
    expect((await available())?.message).toContain('x509: certificate signed by unknown authority')
    await plane.client.patch(apiService, { name: NAME }, { type: 'merge', body: { spec: { insecureSkipTLSVerify: true } } })
    await untilAvailable('True')
  })

  it('gets the requests for its group, with who asks', async () => {
    documents[`${ROOT}/namespaces/default/flunders`] = { kind: 'FlunderList', items: [] }
    await reach()
    await register()
    await untilAvailable('True')
    const path = `${ROOT}/namespaces/default/flunders`
    const body = JSON.stringify({ kind: 'Flunder' })
    const answer = await plane.client.request({
      method: 'POST',
      path,
      query: { dryRun: 'All' },
      headers: { 'content-type': 'application/json', 'x-remote-user': 'mallory' },
      body,
    })
    expect([answer.status, answer.headers['x-own'], JSON.parse((await readBody(answer)).toString())]).toEqual([
      200,
      'yes',
      { kind: 'FlunderList', items: [] },
    ])
    expect(seen.at(-1)).toMatchObject({
      ...{ method: 'POST', url: `${path}?dryRun=All`, body, client: 'front-proxy-client' },
      headers: { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters, system:authenticated', 'content-type': 'application/json' },
    })
    expect((await get('/apis/apps/v1')).json['groupVersion']).toBe('apps/v1')
  })

  it('is in discovery, and its documents in OpenAPI', async () => {
    documents[`/openapi/v3${ROOT}`] = { openapi: '3.0.0' }
    await reach()
    await register()
    await untilAvailable('True')
    expect((await get(`/apis/${GROUP}`)).json).toMatchObject({ name: GROUP, preferredVersion: { groupVersion: `${GROUP}/v1` } })
    expect((await get(ROOT)).json).toEqual(FLUNDERS)
    const aggregated = await get('/apis', 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')
    const items = aggregated.json['items'] as { metadata: { name: string }; versions: object[] }[]
    expect(items.find(({ metadata }) => metadata.name === GROUP)?.versions).toMatchObject([
      {
        version: 'v1',
        freshness: 'Current',
        resources: [{ resource: 'flunders', shortNames: ['fl'], subresources: [{ subresource: 'status' }] }],
      },
    ])
    const paths = (await get('/openapi/v3')).json['paths'] as Record<string, unknown>
    expect(paths[ROOT.slice(1)]).toEqual({ serverRelativeURL: `/openapi/v3${ROOT}?hash=AB` })
    expect(paths['api/v1']).toBeDefined()
    expect((await get(`/openapi/v3${ROOT}`)).json).toEqual({ openapi: '3.0.0' })
    await plane.client.delete(apiService, { name: NAME })
    expect((await send(plane.client, 'GET', `/apis/${GROUP}`).catch(() => ({ status: 404 }))).status).toBe(404)
  })
})

describe('OpenAPI 2.0', () => {
  const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'
  const ref = (name: string) => ({ $ref: `#/definitions/${name}` })
  const operation = {
    ...{ description: 'reads one', operationId: 'readFlunder', produces: ['application/json'], tags: ['wardle'] },
    parameters: [{ $ref: '#/parameters/pretty-1' }],
    responses: { 200: { description: 'OK', schema: ref('com.example.Flunder') } },
    'x-kubernetes-action': 'get',
  }
  const swagger = {
    swagger: '2.0',
    parameters: { 'pretty-1': { name: 'pretty', in: 'query', type: 'string' } },
    paths: { [`${ROOT}/flunders`]: { get: operation }, '/apis/apps/v1/deployments': { get: operation }, '/version': { get: operation } },
    definitions: {
      'com.example.Flunder': { type: 'object', properties: { metadata: ref(META), other: ref('com.example.Other') } },
      'com.example.Other': { type: 'string' },
      'com.example.Unused': { type: 'string' },
      [META]: { type: 'object', description: 'another' },
    },
  }
  type Document = { paths: Record<string, { get: typeof operation }>; definitions: Record<string, unknown> }

  it('has the paths of the groups of other servers, and the models that they name', async () => {
    documents['/openapi/v2'] = swagger
    const before = (await get('/openapi/v2')).json as unknown as Document
    await reach()
    await register()
    await untilAvailable('True')
    const merged = (await get('/openapi/v2')).json as unknown as Document
    expect(merged.paths[`${ROOT}/flunders`]?.get).toEqual({ ...operation, consumes: [], parameters: [swagger.parameters['pretty-1']] })
    expect(merged.paths['/apis/apps/v1/deployments']).toEqual(before.paths['/apis/apps/v1/deployments'])
    expect(merged.definitions['com.example.Flunder']).toEqual(swagger.definitions['com.example.Flunder'])
    expect(merged.definitions['com.example.Other']).toEqual({ type: 'string' })
    expect(merged.definitions).not.toHaveProperty('com.example.Unused')
    expect(merged.definitions[META]).toEqual(before.definitions[META])
    const proto = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
    expect((await get('/openapi/v2', proto)).text).toContain(`${ROOT}/flunders`)

    const asked = () => seen.filter(({ url }) => url === '/openapi/v2').length
    const times = asked()
    await get('/openapi/v2')
    expect(asked()).toBe(times)
    await plane.client.delete(apiService, { name: NAME })
    await until(async () => !(`${ROOT}/flunders` in ((await get('/openapi/v2')).json as unknown as Document).paths))
  })

  it('keeps apart what is called the same', () => {
    const own = { swagger: '2.0' as const, info: { title: '', version: '' }, paths: {}, securityDefinitions: null, security: null }
    const merged = mergeV2({ ...own, definitions: { 'com.example.Other': { type: 'integer' } } }, [{ root: ROOT, document: swagger }])
    expect(merged.definitions['com.example.Other']).toEqual({ type: 'integer' })
    expect(merged.definitions['com.example.Other_v2']).toEqual({ type: 'string' })
    expect(merged.definitions['com.example.Flunder']).toMatchObject({ properties: { other: ref('com.example.Other_v2') } })
    expect(mergeV2({ ...own, definitions: {} }, [{ root: ROOT, document: 'nonsense' }]).paths).toEqual({})
  })
})

describe('the API services of the server itself', () => {
  it('are one for each version of a group, in the order of groups', () => {
    const services = localServices(KINDS)
    const specOf = (name: string) => services.find(({ metadata }) => metadata?.name === name)?.spec
    expect(specOf('v1.')).toEqual({ version: 'v1', groupPriorityMinimum: 18_000, versionPriority: 1 })
    expect(specOf('v2.autoscaling')).toMatchObject({ groupPriorityMinimum: 17_500, versionPriority: 30 })
    expect(specOf('v1.apiregistration.k8s.io')).toBeUndefined()
    expect(new Set(services.map(({ metadata }) => metadata?.name)).size).toBe(services.length)
  })

  it('go with their group, and leave alone what somebody else registered', () => {
    const service = (name: string, labels: Record<string, string>): APIService => ({
      ...{ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', status: {} },
      metadata: { name, labels } as APIService['metadata'],
      spec: { groupPriorityMinimum: 1, versionPriority: 1 },
    })
    const present = [service('v1.apps', {}), service('v1.gone.example.com', { [MANAGED]: 'true' }), service('v1.own.example.com', {})]
    const { missing, gone } = difference(localServices(KINDS), present)
    expect(gone).toEqual(['v1.gone.example.com'])
    expect(missing.map(({ metadata }) => metadata?.name)).not.toContain('v1.apps')
  })
})

describe('what extension servers are told', () => {
  it('keeps the last authorities, because their certificates may still be in use', () => {
    const pem = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`
    let data = authenticationData(pem('AAA'), 'client')
    for (const next of ['BBB', 'CCC', 'DDD', 'EEE', 'EEE']) data = authenticationData(pem(next), 'client', data)
    expect(data['requestheader-client-ca-file']?.match(/[A-Z]{3}(?=\n-)/g)).toEqual(['BBB', 'CCC', 'DDD', 'EEE'])
    expect(data).toMatchObject({ 'client-ca-file': 'client', 'requestheader-allowed-names': '["front-proxy-client"]' })
  })
})
