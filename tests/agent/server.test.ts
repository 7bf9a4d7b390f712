import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sleep, systemClock } from '../../electron/base/clock.ts'
import type { Pod } from '../../electron/api/core/v1/types.gen.ts'
import { endpointSlice, service as serviceKind, validatingWebhookConfiguration } from '../../electron/api/kinds.gen.ts'
import { createAuthority, generateKeys, issue, privateKeyPem, SERVER_AUTH } from '../../electron/apiserver/pki/certificate.ts'
import { systemRandom } from '../../electron/base/random.ts'
import { readBody } from '../../electron/client/bytes.ts'
import { joinNode } from './joined-node.ts'
import type { JoinedNode } from './joined-node.ts'

const isReady = (pod: Pod) => pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
const sh = (script: string) => ({ command: ['sh', '-c', script] })
const FOREVER = 'trap exit TERM; while true; do sleep 0.1; done'

describe('what the API server asks of a node', () => {
  let node: JoinedNode
  const start = async (name: string, spec: Parameters<JoinedNode['createPod']>[1]) => {
    await node.createPod(name, spec)
    return node.until(`${name} is ready`, async () => [await node.pod(name)].find(isReady))
  }
  const kubectl = (...args: string[]) =>
    spawn('kubectl', ['--kubeconfig', node.kubeconfig, ...args], { env: { ...process.env, HOME: node.lab.dir } })

  beforeAll(async () => {
    node = await joinNode()
    await node.startAgent()
    await node.until('the agent is up', async () => node.log.join('').includes('the agent is up'))
    await start('talker', {
      containers: [
        {
          name: 'main',
          ...sh(`echo one; echo two >&2; echo three; mkdir /www; echo page > /www/index.html; httpd -p 127.0.0.1:8080 -h /www; ${FOREVER}`),
        },
      ],
    })
  })
  afterAll(() => node?.[Symbol.asyncDispose]())

  it('runs commands with their input, outputs and exit codes', async () => {
    const echoed = await node.kubectl(['exec', '-i', 'talker', '--', 'sh', '-c', 'cat; echo to stderr >&2; exit 7'], { input: 'hello\n' })
    expect(echoed).toEqual({ code: 7, out: 'hello\n', err: 'to stderr\ncommand terminated with exit code 7\n' })
    const missing = await node.kubectl(['exec', 'talker', '--', 'nope'])
    expect(missing.err).toMatch(/executable file not found/)
    const child = kubectl('exec', '-i', 'talker', '--', 'md5sum')
    let sum = ''
    child.stdout.on('data', (part: Buffer) => (sum += part.toString()))
    const part = Buffer.alloc(1 << 20, 'flotilla ')
    for (let i = 0; i < 50; i++) if (!child.stdin.write(part)) await once(child.stdin, 'drain')
    child.stdin.end()
    await once(child, 'close')
    const { createHash } = await import('node:crypto')
    const wanted = createHash('md5')
    for (let i = 0; i < 50; i++) wanted.update(part)
    expect(sum).toBe(`${wanted.digest('hex')}  -\n`)
  })

  it('gives a terminal with the size of the client', async () => {
    await using socket = await node.api.admin.websocket({
      path: '/api/v1/namespaces/default/pods/talker/exec',
      query: { command: ['sh'], stdin: 'true', stdout: 'true', tty: 'true' },
      protocols: ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
    })
    expect(socket.protocol).toBe('v5.channel.k8s.io')
    const send = (channel: number, text: string) => socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(text)]))
    await send(4, '{"Width":97,"Height":31}')
    await sleep(systemClock, 300)
    await send(0, 'stty size\n')
    await sleep(systemClock, 300)
    await send(4, '{"Width":133,"Height":55}')
    await sleep(systemClock, 300)
    await send(0, 'stty size; exit 3\n')
    let seen = ''
    let status = ''
    for await (const message of socket.messages) {
      if (message[0] === 1) seen += Buffer.from(message.subarray(1)).toString()
      if (message[0] === 3) status += Buffer.from(message.subarray(1)).toString()
    }
    expect(seen).toMatch(/31 97[^]*55 133/)
    expect(JSON.parse(status)).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    })
  })

  it('speaks SPDY with clients of old', async () => {
    const env = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false' }
    const echoed = await node.kubectl(['exec', '-i', 'talker', '--', 'sh', '-c', 'cat; echo to stderr >&2; exit 7'], {
      input: 'hello\n',
      env,
    })
    expect(echoed).toEqual({ code: 7, out: 'hello\n', err: 'to stderr\ncommand terminated with exit code 7\n' })
    const much = await node.kubectl(['exec', 'talker', '--', 'sh', '-c', 'yes | head -c 3000000'], { env })
    expect(much.out.length).toBe(3_000_000)
  })

  it('attaches to the first process of a container', async () => {
    await start('attached', {
      containers: [{ name: 'main', ...sh('while read line; do echo "got $line"; [ "$line" = end ] && exit 0; done'), stdin: true }],
    })
    const child = kubectl('attach', '-i', 'attached')
    let out = ''
    child.stdout.on('data', (part: Buffer) => (out += part.toString()))
    await sleep(systemClock, 700)
    child.stdin.write('a line\n')
    await sleep(systemClock, 300)
    child.stdin.write('end\n')
    await once(child, 'close')
    expect(out).toMatch(/got a line\ngot end\n/)
  })

  it('reads logs from where, as far and with what is asked for', async () => {
    const logs = async (...args: string[]) => (await node.kubectl(['logs', 'talker', ...args])).out
    expect((await logs()).split('\n').toSorted()).toEqual(['', 'one', 'three', 'two'])
    expect((await logs('--tail=1')).split('\n').length).toBe(2)
    expect(await logs('--tail=0')).toBe('')
    expect(await logs('--limit-bytes=2')).toHaveLength(2)
    expect(await logs('--timestamps')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z (one|two|three)\n/)
    expect((await logs('--since=1h')).length).toBeGreaterThan(0)
    await sleep(systemClock, 1500)
    expect(await logs('--since=1s')).toBe('')
    expect((await node.kubectl(['logs', 'talker', '--previous'])).err).toContain(
      'previous terminated container "main" in pod "talker" not found',
    )
    expect((await node.kubectl(['logs', 'talker', '-c', 'nope'])).err).toContain('container nope is not valid for pod talker')
  })

  it('follows a log over its rotation without losing or repeating a line', async () => {
    const lines = 500_000
    await start('chatty', {
      containers: [
        {
          name: 'main',
          ...sh(
            `sleep 1; seq -f 'line %.0f of a log that grows and grows' 1 ${lines} 2>/dev/null || awk 'BEGIN { for (i = 1; i <= ${lines}; i++) print "line " i " of a log that grows and grows" }'; until [ -e /go ]; do sleep 0.1; done; echo last; ${FOREVER}`,
          ),
        },
      ],
    })
    const child = kubectl('logs', '-f', 'chatty')
    let rest = ''
    let expected = 1
    let wrong = ''
    let complaint = ''
    child.stderr.on('data', (part: Buffer) => (complaint += part.toString()))
    const done = new Promise<void>((resolve, reject) => {
      child.once('close', () => reject(new Error(`kubectl ended after line ${expected - 1}: ${complaint}`)))
      child.stdout.on('data', (part: Buffer) => {
        const parts = (rest + part.toString()).split('\n')
        rest = parts.pop() ?? ''
        for (const line of parts) {
          if (line === 'last') resolve()
          else if (line.startsWith(`line ${expected} of`)) expected++
          else wrong ||= `after line ${expected - 1}: ${line}`
        }
      })
    })
    const pod = await node.pod('chatty')
    const folder = join(node.config.logDir, 'pods', `default_chatty_${pod.metadata.uid}`, 'main')
    await Promise.race([done, node.until('the log was rotated', async () => (await readdir(folder)).length > 1, 60_000)])
    await node.kubectl(['exec', 'chatty', '--', 'touch', '/go'])
    await done
    expect(wrong).toBe('')
    expect(expected - 1).toBe(lines)
    expect((await node.kubectl(['logs', 'chatty', '--tail=2'])).out).toBe(`line ${lines} of a log that grows and grows\nlast\n`)
    const all = await node.kubectl(['logs', 'chatty'])
    expect(all.out.split('\n').length).toBe(lines + 2)
    child.kill()
    await node.deletePod('chatty', 1)
  }, 120_000)

  it('ends a followed log with its container', async () => {
    await node.createPod('brief', { restartPolicy: 'Never', containers: [{ name: 'main', ...sh('sleep 2; echo bye') }] })
    await node.until('it runs', async () => (await node.pod('brief')).status.phase === 'Running')
    expect((await node.kubectl(['logs', '-f', 'brief'])).out).toBe('bye\n')
    await expect.poll(async () => (await node.kubectl(['logs', 'brief'])).out).toBe('bye\n')
  })

  it.each(['true', 'false'])('forwards ports to what listens on the loopback of a pod (over WebSocket: %s)', async (overWebSocket) => {
    const env = { ...process.env, HOME: node.lab.dir, KUBECTL_PORT_FORWARD_WEBSOCKETS: overWebSocket }
    const child = spawn('kubectl', ['--kubeconfig', node.kubeconfig, 'port-forward', 'talker', ':8080'], { env })
    let told = ''
    const port = await new Promise<number>((resolve, reject) => {
      child.stdout.on('data', (part: Buffer) => {
        told += part.toString()
        const match = /127\.0\.0\.1:(\d+) ->/.exec(told)
        if (match) resolve(Number(match[1]))
      })
      child.stderr.on('data', (part: Buffer) => (told += part.toString()))
      child.once('close', () => reject(new Error(told)))
    })
    const get = () =>
      new Promise<string>((resolve, reject) => {
        const call = httpRequest({ host: '127.0.0.1', port, path: '/', agent: false }, (response) => {
          let body = ''
          response.on('data', (part: Buffer) => (body += part.toString())).once('end', () => resolve(body))
        })
        call.on('error', reject).end()
      })
    expect(await Promise.all([get(), get(), get()])).toEqual(['page\n', 'page\n', 'page\n'])
    child.kill()
  })

  it('reaches a pod through the API server', async () => {
    const response = await node.api.admin.request({ method: 'GET', path: '/api/v1/namespaces/default/pods/talker:8080/proxy/' })
    expect((await readBody(response)).toString()).toBe('page\n')
  })

  it('reaches a webhook that is a pod behind a Service, on no network but the way to its node', async () => {
    const times = { notBefore: Date.parse('2020-01-01'), notAfter: Date.parse('2040-01-01') }
    const authority = await createAuthority({ commonName: 'the authority of judges', ...times, random: systemRandom })
    const { publicKey, privateKey } = await generateKeys()
    const leaf = { subject: { commonName: 'judge' }, publicKey, ...times, usages: SERVER_AUTH, names: ['judge.default.svc'] }
    const identity = { cert: await issue(authority, leaf, systemRandom), key: await privateKeyPem(privateKey) }
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      let body = ''
      request.on('data', (part) => (body += String(part)))
      request.on('end', () => {
        const { uid, name } = (JSON.parse(body) as { request: { uid: string; name: string } }).request
        const verdict = { uid, allowed: false, status: { message: `${name} is not wanted at ${String(request.url)}` } }
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: verdict }))
      })
    }
    const program = `require('node:https').createServer(${JSON.stringify(identity)}, ${answer.toString()}).listen(8443, '127.0.0.1')`
    // The image has no TLS server, so the pod gets this program's own interpreter, with the libraries that it needs.
    const host = { '/node': dirname(process.execPath), '/lib64': '/usr/lib64', '/lib': '/usr/lib' }
    const mounts = Object.entries(host).map(([mountPath, path], i) => ({ name: `host-${i}`, mountPath, path }))
    const judge = await start('judge', {
      containers: [
        {
          name: 'main',
          command: [`/node/${basename(process.execPath)}`, '-e', program],
          volumeMounts: mounts.map(({ name, mountPath }) => ({ name, mountPath, readOnly: true })),
        },
      ],
      volumes: mounts.map(({ name, path }) => ({ name, hostPath: { path } })),
    })
    const { admin } = node.api
    const at = { namespace: 'default', name: 'judge' }
    await admin.create(serviceKind, { metadata: at, spec: { ports: [{ port: 443, targetPort: 8443 }] } })
    await admin.create(endpointSlice, {
      metadata: { ...at, labels: { 'kubernetes.io/service-name': 'judge' } },
      addressType: 'IPv4',
      ports: [{ name: '', port: 8443, protocol: 'TCP' }],
      endpoints: [
        {
          addresses: [judge.status.podIP ?? '10.0.0.1'],
          conditions: { ready: true },
          targetRef: { kind: 'Pod', ...at, uid: judge.metadata.uid },
        },
      ],
    })
    await admin.create(validatingWebhookConfiguration, {
      metadata: { name: 'judge' },
      webhooks: [
        {
          name: 'judge.example.com',
          clientConfig: {
            service: { ...at, path: '/judge' },
            caBundle: Buffer.from(authority.cert.toString('pem')).toString('base64'),
          },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
          matchConditions: [{ name: 'judged', expression: "request.name == 'judged'" }],
          sideEffects: 'None',
          timeoutSeconds: 30,
          admissionReviewVersions: ['v1'],
        },
      ],
    })
    const refusal = async () => (await node.kubectl(['create', 'configmap', 'judged', '--dry-run=server'])).err.trim()
    const wanted = 'admission webhook "judge.example.com" denied the request: judged is not wanted at /judge?timeout=30s'
    await expect.poll(refusal, { timeout: 60_000, interval: 200 }).toContain(wanted)
    for (const each of await Promise.all([refusal(), refusal(), refusal()])) expect(each).toContain(wanted)
    await admin.delete(validatingWebhookConfiguration, { name: 'judge' })
    await node.deletePod('judge', 0)
  })

  it('tells what the node and its pods use', async () => {
    const get = async (path: string) => (await node.kubectl(['get', '--raw', `/api/v1/nodes/moth/proxy${path}`])).out
    await get('/stats/summary')
    await sleep(systemClock, 5500)
    const summary = JSON.parse(await get('/stats/summary')) as {
      node: Record<string, never>
      pods: { podRef: { name: string }; containers: unknown[]; network: { rxBytes: number } }[]
    }
    expect(summary.node).toMatchObject({
      nodeName: 'moth',
      cpu: { usageNanoCores: expect.any(Number) as number },
      memory: { workingSetBytes: expect.any(Number) as number },
    })
    const talker = summary.pods.find(({ podRef }) => podRef.name === 'talker')
    expect(talker?.containers).toEqual([
      expect.objectContaining({ name: 'main', cpu: expect.objectContaining({ usageNanoCores: expect.any(Number) as number }) as object }),
    ])
    expect(talker?.network.rxBytes).toBeGreaterThan(0)
    expect(await get('/metrics/resource')).toMatch(
      /^container_memory_working_set_bytes\{container="main",namespace="default",pod="talker"\} \d+ \d+$/m,
    )
    expect(await get('/metrics/cadvisor')).toMatch(/^container_fs_usage_bytes\{.*pod="talker"\} \d+ \d+$/m)
    expect(await get('/healthz')).toBe('ok')
    expect((JSON.parse(await get('/pods')) as { items: unknown[] }).items.length).toBeGreaterThan(0)
  })

  it('lets nobody else in', async () => {
    const { request } = await import('node:https')
    const ask = (identity: object) =>
      new Promise<string>((resolve) => {
        const call = request(
          { host: '127.0.0.1', port: node.config.port, path: '/pods', ca: node.api.pki.caPem, servername: 'moth', ...identity },
          (response) => {
            let body = ''
            response.on('data', (part: Buffer) => (body += part.toString())).once('end', () => resolve(`${response.statusCode} ${body}`))
          },
        )
        call.on('error', (error) => resolve(error.message)).end()
      })
    expect(await ask({})).toMatch(/certificate required|ECONNRESET|socket hang up/)
    const admin = await node.api.pki.issueClient({ commonName: 'kubernetes-admin', organizations: ['system:masters'] })
    expect(await ask(admin)).toBe('403 only the API server may ask this node; this is "kubernetes-admin"\n')
  })
})
