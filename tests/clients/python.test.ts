/** Debian's python3-kubernetes: what is in `python/` runs on its interpreter, and each of its tests is one here. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { configMap } from '../../electron/api/core/v1/config-map.ts'
import { namespace } from '../../electron/api/core/v1/namespace.ts'
import { serviceAccount } from '../../electron/api/core/v1/service-account.ts'
import { startCluster, type Cluster } from './lib/cluster.ts'
import { CONTAINER, POD, startProcessNode } from './lib/process-node.ts'
import { kubeconfigOf } from './lib/kubeconfigs.ts'
import { startRelay } from './lib/relay.ts'
import { run } from './lib/run.ts'
import { until } from './lib/until.ts'

const PYTHON = '/usr/bin/python3'
const FOLDER = join(import.meta.dirname, 'python')

function testsOf(module: string): string[] {
  const text = readFileSync(join(FOLDER, `${module}.py`), 'utf8')
  return [...text.matchAll(/def (test_\w+)\(/g)].map(([, name = '']) => name)
}

/** Declares the module's tests, which all run in one process before the first of them reports. */
function declare(module: string, environment: () => Readonly<Record<string, string>>): void {
  const results = new Map<string, string | null>()
  let output = ''
  beforeAll(async () => {
    const { out, err } = await run(PYTHON, ['-B', join(FOLDER, 'run.py'), module], { env: environment() })
    output = err
    for (const line of out.split('\n').filter((one) => one.startsWith('{'))) {
      const { name, fault } = JSON.parse(line) as { name: string; fault: string | null }
      results.set(name, fault)
    }
  })
  for (const name of testsOf(module)) {
    it(name.replace('test_', '').replaceAll('_', ' '), () => {
      const fault = results.get(name)
      if (fault === undefined) throw new Error(`it did not run: ${output}`)
      if (fault !== null) throw new Error(fault)
    })
  }
}

describe('on a whole control plane', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster()
    await cluster.client.create(namespace, { metadata: { name: 'python' } })
    await until('there is a service account', () => cluster.client.get(serviceAccount, { namespace: 'python', name: 'default' }))
  })
  afterAll(() => cluster[Symbol.asyncDispose]())

  describe('python3-kubernetes', () => {
    const coupons = join(import.meta.dirname, 'chart/crds/coupons.yaml')
    declare('objects', () => ({ KUBECONFIG: cluster.kubeconfig, HOME: cluster.dir, NAMESPACE: 'python', COUPONS: coupons }))
  })

  it('follows changes over a server that was killed and a history that is gone', async () => {
    const ns = 'followed'
    const { client } = cluster
    const labels = { watched: 'yes' }
    const create = (name: string) => client.create(configMap, { metadata: { namespace: ns, name, labels }, data: { value: name } })
    await client.create(namespace, { metadata: { name: ns } })
    await create('a')
    await using relay = await startRelay(cluster.url)
    const { users } = parse(await readFile(cluster.kubeconfig, 'utf8')) as { users: [{ user: object }] }
    const { PATH = '' } = process.env
    const env = { PATH, KUBECONFIG: await kubeconfigOf(cluster, users[0].user, relay.url), HOME: cluster.dir, NAMESPACE: ns }
    const child = spawn(PYTHON, ['-B', '-u', join(FOLDER, 'following.py')], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const told: string[] = []
      createInterface(child.stdout).on('line', (line) => {
        const [type, name] = JSON.parse(line) as string[]
        if (`${type} ${name}` !== told.at(-1)) told.push(`${type} ${name}`)
      })
      await until('it has listed', () => told.includes('LISTED a'))
      await create('b')
      await until('b is told', () => told.includes('ADDED b'))
      await cluster.kill()
      await until('the fault is seen', () => told.includes('FAULT connection'))
      await cluster.restart()
      await until('the server answers', () => create('c'))
      await until('c is told', () => told.includes('ADDED c'))
      expect(told.filter((one) => !one.startsWith('FAULT'))).toEqual(['LISTED a', 'ADDED b', 'ADDED c'])
      relay.cut()
      await until('the fault is seen', () => told.at(-1) === 'FAULT connection')
      await client.delete(configMap, { namespace: ns, name: 'a' })
      await create('d')
      await cluster.compact()
      await cluster.kill()
      await cluster.restart()
      relay.restore()
      await until('it has listed again', () => told.includes('LISTED b,c,d'))
      expect(told).toContain('FAULT 410')
      await until('e can be made', () => create('e'))
      await until('e is told', () => told.includes('ADDED e'))
    } finally {
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    }
  })
})

describe('streams of python3-kubernetes', () => {
  const stack = new AsyncDisposableStack()
  let environment: Record<string, string>
  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'flotilla-python-'))
    stack.defer(() => rm(dir, { recursive: true, force: true }))
    const backend = http.createServer((request, response) => void response.end(`${request.method} ${request.url}`))
    backend.listen(0, '127.0.0.1')
    await once(backend, 'listening')
    stack.defer(() => {
      backend.closeAllConnections()
      backend.close()
    })
    const server = stack.use(await startProcessNode(dir))
    environment = {
      ...{ KUBECONFIG: await server.kubeconfig('admin'), HOME: dir, CONTAINER, POD: `${POD.namespace}/${POD.name}` },
      PORT: String((backend.address() as AddressInfo).port),
    }
  })
  afterAll(() => stack.disposeAsync())
  declare('streams', () => environment)
})
