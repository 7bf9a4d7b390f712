/** What the server says that it serves, beside what Kubernetes serves by default: its stable groups and versions. */
import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run, startSecureServer, type SecureServer } from './secure-server.ts'

const APIS = join(import.meta.dirname, '../../node_modules/@kubernetes/client-node/dist/gen/apis')
const ROUTE = /localVarPath = '([^']+)'[\s\S]*?makeRequestContext\(localVarPath, HttpMethod\.(\w+)\)/g
const ON_ONE: Readonly<Record<string, string>> = { GET: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }
const ON_ALL: Readonly<Record<string, string>> = { ...ON_ONE, GET: 'list', DELETE: 'deletecollection' }

interface Served {
  readonly namespaced: boolean
  readonly verbs: ReadonlySet<string>
}

/** By "group/version/resource" or "group/version/resource/subresource": the routes of the client that is generated from upstream's own document. */
function upstream(): Map<string, Served> {
  const found = new Map<string, { namespaced: boolean; verbs: Set<string> }>()
  const watched = new Set<string>()
  for (const file of readdirSync(APIS).filter((name) => /V\d+Api\.js$/.test(name))) {
    for (const [, path = '', method = ''] of readFileSync(join(APIS, file), 'utf8').matchAll(ROUTE)) {
      const [root, ...rest] = path.split('/').filter(Boolean)
      const [group, version, ...parts] = root === 'api' ? ['', ...rest] : rest
      const isWatch = parts[0] === 'watch'
      if (isWatch) parts.shift()
      const inNamespace = parts[0] === 'namespaces' && parts[1] === '{namespace}' && parts.length > 2
      const [resource, name, subresource, tail] = inNamespace ? parts.slice(2) : parts
      if (!resource || tail) continue
      const key = [group, version, resource, ...(subresource ? [subresource] : [])].join('/')
      if (isWatch) {
        watched.add(key)
        continue
      }
      const entry = found.get(key) ?? { namespaced: false, verbs: new Set<string>() }
      found.set(key, entry)
      if (inNamespace) entry.namespaced = true
      const verb = (name ? ON_ONE : ON_ALL)[method]
      if (verb) entry.verbs.add(verb)
    }
  }
  // Since routes of their own for watches are deprecated, some clients have none: whatever is listed and made can be watched.
  for (const [key, { verbs }] of found) if (watched.has(key) || (verbs.has('list') && verbs.has('create'))) verbs.add('watch')
  return found
}

interface Discovered {
  readonly items: {
    readonly metadata: { readonly name?: string }
    readonly versions: {
      readonly version: string
      readonly resources: {
        readonly resource: string
        readonly scope: string
        readonly verbs: string[]
        readonly shortNames?: string[]
        readonly categories?: string[]
        readonly singularResource: string
        readonly subresources?: { readonly subresource: string; readonly verbs: string[] }[]
      }[]
    }[]
  }[]
}

let server: SecureServer
const documents: Discovered[] = []
beforeAll(async () => {
  server = await startSecureServer()
  for (const root of ['api', 'apis']) {
    const accept = 'Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    const token = ['--cacert', join(server.dir, 'ca.crt'), '--noproxy', '*', ...(await identity())]
    const { out } = await run('curl', ['-sS', '-H', accept, ...token, `${server.url}/${root}`])
    documents.push(JSON.parse(out) as Discovered)
  }
})
afterAll(() => server[Symbol.asyncDispose]())

async function identity(): Promise<string[]> {
  const config = await server.kubeconfig('admin')
  const raw = await run('kubectl', ['--kubeconfig', config, 'config', 'view', '--raw', '-o', 'json'])
  const [user] = (JSON.parse(raw.out) as { users: { user: Record<string, string> }[] }).users
  const files = [join(server.dir, 'k.crt'), join(server.dir, 'k.key')] as const
  await writeFile(files[0], Buffer.from(user?.user['client-certificate-data'] ?? '', 'base64'))
  await writeFile(files[1], Buffer.from(user?.user['client-key-data'] ?? '', 'base64'))
  return ['--cert', files[0], '--key', files[1]]
}

const versions = () =>
  documents.flatMap(({ items }) =>
    items.flatMap(({ metadata, versions: all }) => all.map((each) => ({ ...each, group: metadata.name ?? '' }))),
  )
const ours = ({ group }: { group: string }) => group.endsWith('flotilla.dev')

function served(): Map<string, Served> {
  const found = new Map<string, Served>()
  for (const { group, version, resources } of versions().filter((each) => !ours(each)))
    for (const { resource, scope, verbs, subresources = [] } of resources) {
      const namespaced = scope === 'Namespaced'
      if (verbs.length > 0) found.set(`${group}/${version}/${resource}`, { namespaced, verbs: new Set(verbs) })
      for (const one of subresources)
        found.set(`${group}/${version}/${resource}/${one.subresource}`, { namespaced, verbs: new Set(one.verbs) })
    }
  return found
}

const plain = (all: Map<string, Served>) =>
  Object.fromEntries(
    [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, { namespaced, verbs }]) => [key, { namespaced, verbs: [...verbs].sort() }]),
  )

describe('discovery', () => {
  it('has every stable kind and subresource with its scope and verbs, and no other', () => {
    expect(plain(served())).toEqual(plain(upstream()))
  })

  it('has the short names, categories and singular names that kubectl knows', () => {
    const short: Record<string, string[]> = {}
    const categories: Record<string, string[]> = {}
    for (const { group, resources } of versions().filter((each) => !ours(each)))
      for (const { resource, shortNames = [], categories: own = [], singularResource } of resources) {
        if (shortNames.length > 0) short[group ? `${resource}.${group}` : resource] = shortNames
        for (const category of own) (categories[category] ??= []).push(resource)
        expect(singularResource, resource).toMatch(/^[a-z]+$/)
      }
    expect(short).toEqual(SHORT_NAMES)
    expect(Object.fromEntries(Object.entries(categories).map(([name, list]) => [name, [...new Set(list)].sort()]))).toEqual(CATEGORIES)
  })

  it('says of each group which version is meant', async () => {
    const { out } = await run('kubectl', ['--kubeconfig', await server.kubeconfig('admin'), 'api-versions'], { env: { HOME: server.dir } })
    const known = out
      .trim()
      .split('\n')
      .filter((one) => !one.includes('flotilla.dev'))
    const wanted = new Set([...upstream().keys()].map((key) => key.split('/').slice(0, 2).join('/').replace(/^\//, '')))
    expect(known.sort()).toEqual([...wanted].sort())
  })
})

const SHORT_NAMES = {
  componentstatuses: ['cs'],
  configmaps: ['cm'],
  endpoints: ['ep'],
  events: ['ev'],
  limitranges: ['limits'],
  namespaces: ['ns'],
  nodes: ['no'],
  persistentvolumeclaims: ['pvc'],
  persistentvolumes: ['pv'],
  pods: ['po'],
  replicationcontrollers: ['rc'],
  resourcequotas: ['quota'],
  serviceaccounts: ['sa'],
  services: ['svc'],
  'customresourcedefinitions.apiextensions.k8s.io': ['crd', 'crds'],
  'daemonsets.apps': ['ds'],
  'deployments.apps': ['deploy'],
  'replicasets.apps': ['rs'],
  'statefulsets.apps': ['sts'],
  'horizontalpodautoscalers.autoscaling': ['hpa'],
  'cronjobs.batch': ['cj'],
  'certificatesigningrequests.certificates.k8s.io': ['csr'],
  'events.events.k8s.io': ['ev'],
  'ingresses.networking.k8s.io': ['ing'],
  'ipaddresses.networking.k8s.io': ['ip'],
  'networkpolicies.networking.k8s.io': ['netpol'],
  'poddisruptionbudgets.policy': ['pdb'],
  'priorityclasses.scheduling.k8s.io': ['pc'],
  'storageclasses.storage.k8s.io': ['sc'],
  'volumeattributesclasses.storage.k8s.io': ['vac'],
}

const CATEGORIES = {
  all: [
    ...['cronjobs', 'daemonsets', 'deployments', 'horizontalpodautoscalers', 'jobs'],
    ...['pods', 'replicasets', 'replicationcontrollers', 'services', 'statefulsets'],
  ],
  'api-extensions': [
    ...['apiservices', 'customresourcedefinitions', 'mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'],
    ...[
      'mutatingwebhookconfigurations',
      'validatingadmissionpolicies',
      'validatingadmissionpolicybindings',
      'validatingwebhookconfigurations',
    ],
  ],
}

describe('kubectl get componentstatuses', () => {
  it('warns as upstream does, and says who is well', async () => {
    server.server.addComponent('scheduler', () => undefined)
    server.server.addComponent('controller-manager', () => {
      throw new Error('it is stopped')
    })
    const config = await server.kubeconfig('admin')
    const { out, err } = await run('kubectl', ['--kubeconfig', config, 'get', 'cs'], { env: { HOME: server.dir } })
    expect(err).toBe('Warning: v1 ComponentStatus is deprecated in v1.19+\n')
    expect(out.replace(/ +/g, ' ')).toBe(
      'NAME STATUS MESSAGE ERROR\ncontroller-manager Unhealthy it is stopped \netcd-0 Healthy ok \nscheduler Healthy ok \n',
    )
    const one = await run('kubectl', ['--kubeconfig', config, 'get', 'cs', 'etcd-0', '-o', 'jsonpath={.conditions}'], {
      env: { HOME: server.dir },
    })
    expect(JSON.parse(one.out)).toEqual([{ type: 'Healthy', status: 'True', message: 'ok' }])
    const missing = await run('kubectl', ['--kubeconfig', config, 'get', 'cs', 'x'], { env: { HOME: server.dir } })
    expect(missing.err).toContain('Error from server (NotFound): componentstatuses "x" not found')
  })
})
