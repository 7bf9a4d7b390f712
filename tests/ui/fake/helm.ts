/** Helm as the UI sees it: releases in Secrets as Helm writes them, and a program that imitates the real one's way of changing them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeRelease, RELEASE_TYPE, type HelmRelease, type HelmStatus } from '../../../electron/api/helm/release.ts'
import { FlotillaError } from '../../../electron/base/errors.ts'
import { parse } from 'yaml'
import type { Client } from '../../../electron/client/client.ts'
import type { HelmOperation, HELM_CHANNELS } from '../../../electron/contracts/helm.ts'
import type { Handlers } from '../../../electron/contracts/server.ts'
import { commandText, wordsOf } from '../../../electron/plane/helm/command-line.ts'
import { SECRET } from './cluster.ts'

const CHART_VALUES = `# How many pods answer.
replicas: 3
image:
  repository: shop/web
  tag: "2.4.0"
greeting: hello
`
const SCHEMA = {
  type: 'object',
  required: ['replicas'],
  properties: {
    replicas: { type: 'integer', minimum: 1 },
    image: { type: 'object', additionalProperties: false, properties: { repository: { type: 'string' }, tag: { type: 'string' } } },
    greeting: { type: 'string' },
  },
}

const manifestOf = (name: string, values: Record<string, unknown>) => `---
# Source: storefront/templates/config.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}-settings
data:
  greeting: ${JSON.stringify(values['greeting'] ?? 'hello')}
---
# Source: storefront/templates/service.yaml
apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector: { app: ${name} }
  ports: [{ port: 80 }]
---
# Source: storefront/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: ${JSON.stringify(values['replicas'] ?? 3)}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      containers: [{ name: app, image: "shop/web:2.4.0" }]
`

interface Revision {
  readonly name: string
  readonly namespace: string
  readonly version: number
  readonly status: HelmStatus
  readonly description: string
  readonly config?: Record<string, unknown>
  readonly chartVersion?: string
  readonly dependencies?: readonly string[]
  /** Minutes. */
  readonly ago?: number
}

function releaseOf(revision: Revision): HelmRelease {
  const { name, namespace, version, status, description, config = {}, chartVersion = '1.4.0', dependencies, ago = 0 } = revision
  const at = new Date(Date.now() - ago * 60_000).toISOString()
  return {
    ...{ name, namespace, version, config },
    info: { first_deployed: at, last_deployed: at, status, description, notes: `${name} answers at http://${name}.${namespace}.svc\n` },
    chart: {
      metadata: {
        name: 'storefront',
        version: chartVersion,
        appVersion: '2.4.0',
        description: 'A shop window for the web.',
        ...(dependencies ? { dependencies: dependencies.map((each) => ({ name: each, version: '1.x' })) } : {}),
      },
      values: parse(CHART_VALUES) as Record<string, unknown>,
      schema: btoa(JSON.stringify(SCHEMA)),
    },
    manifest: manifestOf(name, config),
    hooks: [{ name: `${name}-answers`, kind: 'Pod', events: ['test'] }],
  }
}

export async function storeRelease(client: Client, revision: Revision): Promise<void> {
  const { name, namespace, version, status } = revision
  const release = await encodeRelease(releaseOf(revision))
  const labels = { owner: 'helm', name, status, version: String(version) }
  await client.create(SECRET, {
    metadata: { name: `sh.helm.release.v1.${name}.v${version}`, namespace, labels },
    type: RELEASE_TYPE,
    data: { release },
  })
}

export async function makeReleases(client: Client): Promise<void> {
  const web = { name: 'web', namespace: 'shop' }
  await storeRelease(client, {
    ...web,
    version: 1,
    status: 'superseded',
    description: 'Install complete',
    chartVersion: '1.3.0',
    ago: 9000,
  })
  await storeRelease(client, {
    ...web,
    version: 2,
    status: 'superseded',
    description: 'Upgrade complete',
    config: { replicas: 4 },
    ago: 700,
  })
  const third = { version: 3, status: 'deployed', config: { replicas: 3, greeting: 'servus' } } as const
  await storeRelease(client, { ...web, ...third, description: 'Upgrade complete', ago: 60 })
  const why = 'Release "metrics" failed: timed out waiting for the condition'
  await storeRelease(client, { name: 'metrics', namespace: 'kube-system', version: 1, status: 'failed', description: why, ago: 30 })
}

async function releasesOf(client: Client, { name, namespace }: HelmOperation) {
  const { items } = await client.list(SECRET, { namespace, labelSelector: `owner=helm,name=${name}` })
  return items.toSorted((a, b) => Number(a.metadata.labels?.['version']) - Number(b.metadata.labels?.['version']))
}

async function carryOut(client: Client, operation: HelmOperation): Promise<void> {
  const { name, namespace } = operation
  const before = await releasesOf(client, operation)
  if (operation.type === 'uninstall') {
    for (const { metadata } of before) await client.delete(SECRET, { namespace, name: metadata.name })
    return
  }
  if (operation.type === 'test') return
  const next = Number(before.at(-1)?.metadata.labels?.['version'] ?? 0) + 1
  for (const { metadata } of before)
    if (metadata.labels?.['status'] === 'deployed')
      await client.patch(
        SECRET,
        { namespace, name: metadata.name },
        { type: 'merge', body: { metadata: { labels: { status: 'superseded' } } } },
      )
  const config = operation.type === 'rollback' ? {} : ((parse(operation.values ?? '') ?? {}) as Record<string, unknown>)
  const description =
    operation.type === 'rollback'
      ? `Rollback to ${operation.revision}`
      : operation.type === 'install'
        ? 'Install complete'
        : 'Upgrade complete'
  await storeRelease(client, { name, namespace, version: next, status: 'deployed', description, config })
}

function commandFor(operation: HelmOperation): string {
  const kept = 'chart' in operation && operation.chart.type === 'kept'
  return commandText(wordsOf(operation, 3, { values: 'values.yaml', ...(kept ? { chart: './chart' } : {}) }))
}

export interface FakeHelm {
  /** Why there is no program. */
  lacksHelm?: string
  /** What Helm fails with. */
  helmFails?: string
  /** Milliseconds of a phase. */
  helmStepMs?: number
}

export function fakeHelm(client: Client, options: FakeHelm): Handlers<typeof HELM_CHANNELS> {
  const chart = { name: 'storefront', version: '1.5.0', appVersion: '2.5.0', description: 'A shop window for the web.', deprecated: false }
  return {
    'helm.info': () =>
      options.lacksHelm
        ? { problem: { what: 'There is no helm on this computer.', why: options.lacksHelm, next: 'Install Helm 3.8 or newer.' } }
        : { program: { path: '/usr/local/bin/helm', version: 'v3.17.2', major: 3 } },
    'helm.chart': ({ chart: source }) => {
      if (source.type === 'path' && !source.path.includes('storefront'))
        throw new FlotillaError('HELM_FAILED', { what: `No chart can be read from ${source.path}.`, why: 'Nothing is there.', next: '' })
      return { ...chart, values: CHART_VALUES, schema: SCHEMA, readme: '# storefront', missing: [] }
    },
    'helm.repository': () => ({
      charts: [
        { name: 'storefront', description: chart.description, versions: [{ version: '1.5.0', appVersion: '2.5.0' }, { version: '1.4.0' }] },
      ],
    }),
    'helm.preview': (operation) => {
      const values = 'values' in operation ? ((parse(operation.values ?? '') ?? {}) as Record<string, unknown>) : {}
      return { manifest: manifestOf(operation.name, values), notes: '', hooks: ['Pod web-answers (test)'] }
    },
    'helm.command': (operation) => ({ command: commandFor(operation) }),
    async 'helm.run'(operation, duplex) {
      const command = commandFor(operation)
      await duplex.send({ type: 'command', command })
      const phases = [
        ['prepare', ''],
        ['apply', 'ConfigMap web-settings'],
        ['apply', 'Deployment web'],
        ['wait', 'Deployment is not ready: shop/web'],
      ] as const
      for (const [phase, detail] of phases) {
        await duplex.send({ type: 'phase', phase, detail })
        await sleep(options.helmStepMs ?? 40, undefined, { signal: duplex.signal })
      }
      if (options.helmFails) await duplex.send({ type: 'line', error: true, text: `Error: ${options.helmFails}` })
      else {
        await carryOut(client, operation)
        await duplex.send({ type: 'line', error: false, text: 'STATUS: deployed' })
      }
      await duplex.send({ type: 'exit', code: options.helmFails ? 1 : 0 })
    },
  }
}
