/** A small operator as one writes it with `@kubernetes/client-node`: it serves its webhooks, waits to be the leader, and reconciles. */
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  ListWatch,
  Watch,
  type KubernetesObject,
} from '@kubernetes/client-node'
import { setTimeout as sleep } from 'node:timers/promises'
import { becomeLeader } from './election.ts'
import { reconciler } from './reconcile.ts'
import { DIRECTORY, PLURAL, settingsOf, VERSION, type SiteList } from './site.ts'
import { registerWebhooks, serveWebhooks } from './webhooks.ts'

const RETRY = 200

const settings = settingsOf(process.env)
const config = new KubeConfig()
config.loadFromDefault()
const url = await serveWebhooks(settings)
process.stdout.write(`serving ${url}\n`)
await becomeLeader(config, settings, () => {
  process.stderr.write('the lease is lost\n')
  process.exit(1)
})
await registerWebhooks(config, settings, url)
await ensureDirectory()
process.stdout.write('leading\n')

const reconcile = reconciler(config, settings)
const waiting = new Set<string>()
const busy = new Set<string>()

/** One at a time for each site; what comes in meanwhile is looked at afterwards. */
function enqueue(key: string): void {
  waiting.add(key)
  if (!busy.has(key)) void work(key)
}

async function work(key: string): Promise<void> {
  busy.add(key)
  while (waiting.delete(key)) {
    const [namespace = '', name = ''] = key.split('/')
    try {
      await reconcile(namespace, name)
    } catch (error) {
      if (!(error instanceof ApiException) || error.code !== 409) process.stderr.write(`${key}: ${String(error)}\n`)
      waiting.add(key)
      await sleep(RETRY)
    }
  }
  busy.delete(key)
}

async function ensureDirectory(): Promise<void> {
  const body = { metadata: { name: DIRECTORY } }
  await config
    .makeApiClient(CoreV1Api)
    .createNamespacedConfigMap({ namespace: settings.namespace, body })
    .catch((error: unknown) => {
      if (!(error instanceof ApiException) || error.code !== 409) throw error
    })
}

async function follow<T extends KubernetesObject>(
  path: string,
  list: () => Promise<{ items: T[] }>,
  keyOf: (object: T) => string | null,
  label?: string,
) {
  const informer = new ListWatch<T>(path, new Watch(config), list, false, label)
  const notice = (object: T) => {
    const key = keyOf(object)
    if (key !== null) enqueue(key)
  }
  for (const verb of ['add', 'update', 'delete'] as const) informer.on(verb, notice)
  const start = async (): Promise<void> => {
    try {
      await informer.start()
    } catch (error) {
      process.stderr.write(`${path}: ${String(error)}\n`)
      await sleep(RETRY)
      await start()
    }
  }
  informer.on('error', () => void sleep(RETRY).then(start))
  await start()
}

const { group } = settings
const sites = () =>
  config
    .makeApiClient(CustomObjectsApi)
    .listCustomObjectForAllNamespaces({ group, version: VERSION, resourcePlural: PLURAL }) as Promise<SiteList>
await follow(`/apis/${group}/${VERSION}/${PLURAL}`, sites, ({ metadata }) => `${metadata?.namespace}/${metadata?.name}`)
const deployments = () => config.makeApiClient(AppsV1Api).listDeploymentForAllNamespaces({})
await follow('/apis/apps/v1/deployments', deployments, ({ metadata }) => {
  const owner = metadata?.ownerReferences?.find(({ controller, apiVersion }) => controller && apiVersion === `${group}/${VERSION}`)
  return owner ? `${metadata?.namespace}/${owner.name}` : null
})
process.stdout.write('watching\n')
