/** From a Site to what it stands for: a page, a Deployment that shows it, an entry in the directory, and a status. */
import {
  ApiException,
  CoreV1Api,
  CustomObjectsApi,
  KubernetesObjectApi,
  PatchStrategy,
  setHeaderOptions,
  type KubeConfig,
  type KubernetesObject,
  type V1Condition,
  type V1Deployment,
} from '@kubernetes/client-node'
import { isDeepStrictEqual } from 'node:util'
import { apiVersionOf, DIRECTORY, finalizerOf, PLURAL, VERSION, type Settings, type Site, type SiteStatus } from './site.ts'

const MERGE = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)

/** Safe to call again at any point that an earlier call got to. */
export function reconciler(config: KubeConfig, settings: Settings): (namespace: string, name: string) => Promise<void> {
  const core = config.makeApiClient(CoreV1Api)
  const custom = config.makeApiClient(CustomObjectsApi)
  const objects = KubernetesObjectApi.makeApiClient(config)
  const { group } = settings
  const finalizer = finalizerOf(settings)
  const apply = <T extends KubernetesObject>(object: T) =>
    objects.patch(object, undefined, undefined, `operator.${group}`, true, PatchStrategy.ServerSideApply)

  const enter = (key: string, title: string | null) =>
    core.patchNamespacedConfigMap(
      // A null takes the entry out; the generated type knows strings only.
      { namespace: settings.namespace, name: DIRECTORY, body: { data: { [key]: title } } },
      MERGE,
    )

  const setFinalizers = ({ metadata }: Site, finalizers: string[]) =>
    custom.patchNamespacedCustomObject(
      {
        ...{ group, version: VERSION, plural: PLURAL, namespace: metadata?.namespace ?? '', name: metadata?.name ?? '' },
        // With the revision, so that nobody else's finalizer is lost.
        body: { metadata: { finalizers, resourceVersion: metadata?.resourceVersion } },
      },
      MERGE,
    ) as Promise<Site>

  const tell = async ({ metadata }: Site, reason: string, message: string) => {
    const { namespace = '', name = '', uid = '' } = metadata ?? {}
    const now = new Date()
    const body = {
      metadata: { name: `${name}.${uid.slice(0, 8)}.${reason.toLowerCase()}` },
      involvedObject: { apiVersion: apiVersionOf(settings), kind: 'Site', namespace, name, uid },
      ...{ reason, message, type: 'Normal', source: { component: `operator.${group}` }, firstTimestamp: now, lastTimestamp: now, count: 1 },
    }
    await core.createNamespacedEvent({ namespace, body }).catch((error: unknown) => {
      // The namespace may be on its way out, or it was told already.
      if (!(error instanceof ApiException) || ![403, 404, 409].includes(error.code)) throw error
    })
  }

  const make = async (site: Site): Promise<V1Deployment> => {
    const { namespace = '', name = '', uid = '' } = site.metadata ?? {}
    const owner = { apiVersion: apiVersionOf(settings), kind: 'Site', name, uid, controller: true, blockOwnerDeletion: true }
    const metadata = { namespace, name, ownerReferences: [owner] }
    const { page, replicas = 1 } = site.spec
    await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'index.html': `<h1>${page.title}</h1>${page.text}` } })
    const labels = { [`${group}/site`]: name }
    const volumes = [{ name: 'page', configMap: { name } }]
    const containers = [{ name: 'web', image: 'registry.example.com/web:1', volumeMounts: [{ name: 'page', mountPath: '/page' }] }]
    const template = { metadata: { labels }, spec: { containers, volumes } }
    return apply<V1Deployment & KubernetesObject>({
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata },
      spec: { replicas, selector: { matchLabels: labels }, template },
    })
  }

  return async (namespace, name) => {
    const at = { group, version: VERSION, plural: PLURAL, namespace, name }
    let site: Site
    try {
      site = (await custom.getNamespacedCustomObject(at)) as Site
    } catch (error) {
      if (error instanceof ApiException && error.code === 404) return
      throw error
    }
    const key = `${namespace}.${name}`
    const finalizers = site.metadata?.finalizers ?? []
    if (site.metadata?.deletionTimestamp) {
      if (!finalizers.includes(finalizer)) return
      await enter(key, null)
      await tell(site, 'Removed', 'The site is out of the directory.')
      await setFinalizers(
        site,
        finalizers.filter((one) => one !== finalizer),
      )
      return
    }
    if (!finalizers.includes(finalizer)) site = await setFinalizers(site, [...finalizers, finalizer])
    const deployment = await make(site)
    await enter(key, site.spec.page.title ?? '')
    const status = statusOf(site, deployment)
    if (isDeepStrictEqual(status, site.status)) return
    await custom.patchNamespacedCustomObjectStatus({ ...at, body: { status } }, MERGE)
    if (status.conditions?.[0]?.status === 'True') await tell(site, 'Ready', `The site has ${status.readyReplicas} replicas.`)
  }
}

function statusOf({ metadata, spec, status = {} }: Site, deployment: V1Deployment): SiteStatus {
  const generation = metadata?.generation ?? 0
  const wanted = spec.replicas ?? 1
  const isCurrent = deployment.status?.observedGeneration === deployment.metadata?.generation
  const ready = (isCurrent && deployment.status?.readyReplicas) || 0
  const isReady = isCurrent && ready === wanted && (deployment.status?.updatedReplicas ?? 0) === wanted
  const before = status.conditions?.find(({ type }) => type === 'Ready')
  const is = isReady ? 'True' : 'False'
  const lastTransitionTime = before?.status === is ? before.lastTransitionTime : new Date().toISOString().replace(/\.\d+/, '')
  const condition = {
    lastTransitionTime,
    ...{ message: `${ready} of ${wanted} replicas are ready`, observedGeneration: generation },
    ...{ reason: isReady ? 'AllReplicasReady' : 'Progressing', status: is, type: 'Ready' },
  } as V1Condition
  return { conditions: [condition], observedGeneration: generation, readyReplicas: ready }
}
