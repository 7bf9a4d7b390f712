import { once } from 'node:events'
import { connect } from 'node:tls'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configMap } from '../../electron/api/kinds.gen.ts'
import { http1, http2, json, serve, session, type Served } from './served.ts'

let served: Served
beforeAll(async () => {
  served = await serve()
})
afterAll(() => served[Symbol.asyncDispose]())

const configs = '/api/v1/namespaces/default/configmaps'
const asJson = { 'content-type': 'application/json' }
const config = (name: string, data: Record<string, string> = {}) => JSON.stringify({ metadata: { name }, data })

describe('one port', () => {
  it('speaks HTTP/1.1 and HTTP/2, and knows the user by the certificate', async () => {
    const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' })
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
    const who = (answer: Record<string, unknown>) => (answer['status'] as { userInfo: { username: string; groups: string[] } }).userInfo
    const one = await http1(served, path, { method: 'POST', headers: asJson, body })
    expect(who(json(one))).toMatchObject({ username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] })
    const two = session(served)
    expect(who(json(await http2(two, path, { method: 'POST', headers: asJson, body })))).toMatchObject({ username: 'kubernetes-admin' })
    two.close()
  })

  it('lets those without a certificate in as nobody', async () => {
    expect((await http1(served, '/livez', { anonymous: true })).body.toString()).toBe('ok')
    const denied = await http1(served, '/api/v1/pods', { anonymous: true })
    expect([denied.status, json(denied)['message']]).toEqual([
      403,
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope',
    ])
    const wrong = await http1(served, '/api/v1/pods', { anonymous: true, headers: { authorization: 'Bearer nonsense' } })
    expect([wrong.status, json(wrong)]).toEqual([
      401,
      { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: 'Unauthorized', reason: 'Unauthorized', code: 401 },
    ])
  })

  it('marks every answer', async () => {
    const { headers } = await http1(served, '/version')
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-cache, private',
      'audit-id': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    })
  })

  it('answers HEAD without a body', async () => {
    const { status, headers, body } = await http1(served, '/version', { method: 'HEAD' })
    expect([status, Number(headers['content-length']) > 100, body.length]).toEqual([200, true, 0])
  })

  it('sends warnings as headers', async () => {
    const answer = await http1(served, configs, { method: 'POST', headers: asJson, body: '{"metadata":{"name":"w"},"a":1,"b":2}' })
    expect(answer.status).toBe(201)
    expect(answer.headers['warning']).toBe('299 - "unknown field \\"a\\"", 299 - "unknown field \\"b\\""')
  })
})

describe('warnings', () => {
  it('are in UTF-8, and left out where a header cannot carry them', async () => {
    const question = { method: 'POST', headers: asJson, body: '{"metadata":{"name":"utf"},"é€":1,"a\\nb":2}' }
    const h2 = session(served)
    for (const answer of [await http1(served, `${configs}?dryRun=All`, question), await http2(h2, `${configs}?dryRun=All`, question)]) {
      expect(answer.status).toBe(201)
      expect(Buffer.from(String(answer.headers['warning']), 'latin1').toString('utf8')).toMatch(
        /^299 - "unknown field \\"é€\\""(, 299 - "unknown field \\"a\\\\nb\\"")?$/,
      )
    }
    h2.close()
  })
})

describe('limits', () => {
  it('of a body are three mebibytes, announced or not', async () => {
    const body = Buffer.alloc((3 << 20) + 1, 'x')
    const h2 = session(served)
    for (const answer of [
      await http1(served, configs, { method: 'POST', headers: asJson, body }),
      await http2(h2, configs, { method: 'POST', headers: asJson, body }),
      await http1(served, configs, { method: 'POST', headers: { ...asJson, 'transfer-encoding': 'chunked' }, body }),
    ]) {
      expect([answer.status, json(answer)['reason']]).toEqual([413, 'RequestEntityTooLarge'])
    }
    h2.close()
  })

  it('do not keep a body of just three', async () => {
    const data = 'x'.repeat((3 << 20) - 200)
    const answer = await http1(served, configs, { method: 'POST', headers: asJson, body: config('big', { data }) })
    expect([answer.status, json(answer)['reason']]).toEqual([422, 'Invalid'])
    expect(json(answer)['message']).toContain('Too long: may not be more than 1048576 bytes')
  })

  it('of nonsense are drawn with a Status', async () => {
    const path = await http1(served, '/api/v1/%ff')
    expect([path.status, json(path)['reason']]).toEqual([400, 'BadRequest'])
    const body = await http1(served, configs, { method: 'POST', headers: asJson, body: '{"metadata":' })
    expect([body.status, json(body)['message']]).toEqual([
      400,
      'the object provided is unrecognized (must be of type ConfigMap): couldn\'t get version/kind; json parse error: unexpected end of JSON input ({"metadata":)',
    ])
  })

  it('close a connection that speaks no HTTP', async () => {
    const socket = connect({ host: '127.0.0.1', port: served.port, ca: served.tls.ca })
    await once(socket, 'secureConnect')
    socket.write('hello\r\n\r\n')
    socket.resume()
    await once(socket, 'close')
    expect((await http1(served, '/livez')).status).toBe(200)
  })
})

describe('an upgrade that is refused', () => {
  const UPGRADE = [
    'GET /api/v1/namespaces/default/pods/none/exec?command=a HTTP/1.1',
    'host: a',
    'connection: Upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
  ]

  it('is answered with a Status, and leaves no connection behind when the client has said more than it read', async () => {
    const sockets = () => process.getActiveResourcesInfo().filter((one) => one === 'TCPSocketWrap').length
    const before = sockets()
    for (let i = 0; i < 5; i++) {
      const socket = connect({ host: '127.0.0.1', port: served.port, ...served.tls, ALPNProtocols: ['http/1.1'] })
      await once(socket, 'secureConnect')
      socket.write(`${UPGRADE.join('\r\n')}\r\n\r\n`)
      socket.write(Buffer.alloc(500))
      const [answer] = (await once(socket, 'data')) as [Buffer]
      expect(String(answer)).toMatch(/^HTTP\/1.1 404 Not Found\r\n/)
      socket.destroy()
    }
    await expect.poll(sockets).toBeLessThanOrEqual(before)
  })
})

describe('large lists', () => {
  beforeAll(async () => {
    for (let i = 0; i < 40; i++) {
      await served.admin.create(configMap, { metadata: { name: `g${i}`, namespace: 'kube-public' }, data: { pad: 'x'.repeat(8000) } })
    }
  })
  const path = '/api/v1/namespaces/kube-public/configmaps'

  it('are packed for those who can unpack them', async () => {
    const packed = await http1(served, path, { headers: { 'accept-encoding': 'gzip' } })
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' })
    const plain = await http1(served, path)
    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(packed.body.length).toBeLessThan(plain.body.length / 5)
    expect(gunzipSync(packed.body).equals(plain.body)).toBe(true)
    const refused = await http1(served, path, { headers: { 'accept-encoding': 'gzip;q=0' } })
    expect(refused.headers['content-encoding']).toBeUndefined()
  })

  it('come whole over HTTP/2', async () => {
    const h2 = session(served)
    const { body } = await http2(h2, path)
    expect((JSON.parse(body.toString()) as { items: unknown[] }).items).toHaveLength(40)
    h2.close()
  })
})

describe('many at once', () => {
  it('share one connection', async () => {
    const h2 = session(served)
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, i) => http2(h2, configs, { method: 'POST', headers: asJson, body: config(`m${i}`) })),
    )
    expect(new Set(answers.map((a) => a.status))).toEqual(new Set([201]))
    const read = await Promise.all(Array.from({ length: 300 }, (_, i) => http2(h2, `${configs}/m${i}`)))
    expect(read.every((a) => a.status === 200)).toBe(true)
    h2.close()
  })

  it('keep their order on a connection of HTTP/1.1', async () => {
    const { cert, key, ca } = served.tls
    const socket = connect({ host: '127.0.0.1', port: served.port, ca, cert, key, ALPNProtocols: ['http/1.1'] })
    await once(socket, 'secureConnect')
    const names = Array.from({ length: 20 }, (_, i) => `m${i}`)
    socket.write(
      names.map((name, i) => `GET ${configs}/${name} HTTP/1.1\r\nhost: x\r\n${i === 19 ? 'connection: close\r\n' : ''}\r\n`).join(''),
    )
    let text = ''
    for await (const part of socket) text += String(part)
    expect([...text.matchAll(/"name":"(m\d+)"/g)].map((m) => m[1])).toEqual(names)
  })
})
