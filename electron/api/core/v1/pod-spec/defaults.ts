/** What a pod's spec means where it is silent, in pods and in templates alike. Source: kubernetes `core/v1/defaults.go`, `conversion.go`. */
import { parseImageName } from '../../../values/image-name.ts'
import { defaultResourceList, defaultResources } from '../resource-list.ts'
import type { LifecycleHandler, ObjectFieldSelector, PodSpec, PodTemplateSpec, Probe, ResourceFieldSelector, Volume } from '../types.gen.ts'
import type { AnyContainer } from './visit.ts'

const READABLE_BY_ALL = 0o644
const HOUR = 3600
/** Names of annotations that once held init containers; they are dropped lest something act on them. */
const INIT_CONTAINER_ANNOTATIONS = ['containers', 'container-statuses'].flatMap((what) => [
  `pod.beta.kubernetes.io/init-${what}`,
  `pod.alpha.kubernetes.io/init-${what}`,
])

export function defaultPodTemplate(template: PodTemplateSpec): void {
  dropInitContainerAnnotations(template.metadata)
  // A template without containers is for validation to refuse.
  defaultPodSpec(template.spec)
}

export function dropInitContainerAnnotations({ annotations }: { annotations?: Record<string, string> }): void {
  if (annotations) for (const name of INIT_CONTAINER_ANNOTATIONS) delete annotations[name]
}

export function defaultPodSpec(spec: PodSpec): void {
  spec.dnsPolicy ??= 'ClusterFirst'
  spec.restartPolicy ??= 'Always'
  spec.schedulerName ??= 'default-scheduler'
  spec.securityContext ??= {}
  spec.terminationGracePeriodSeconds ??= 30
  const account = spec.serviceAccountName ?? spec.serviceAccount
  if (account !== undefined) {
    spec.serviceAccountName = account
    spec.serviceAccount = account
  }
  defaultResourceList(spec.overhead)
  defaultResources(spec.resources)
  for (const list of [spec.initContainers, spec.containers, spec.ephemeralContainers]) list?.forEach(defaultContainer)
  spec.volumes?.forEach(defaultVolume)
}

function defaultContainer(container: AnyContainer): void {
  container.imagePullPolicy ??= pullPolicyOf(container.image ?? '')
  container.terminationMessagePath ??= '/dev/termination-log'
  container.terminationMessagePolicy ??= 'File'
  defaultResources(container.resources)
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) defaultProbe(probe)
  defaultHandler(container.lifecycle?.postStart)
  defaultHandler(container.lifecycle?.preStop)
  for (const { valueFrom } of container.env ?? []) {
    defaultFieldRef(valueFrom?.fieldRef)
    defaultResourceFieldRef(valueFrom?.resourceFieldRef)
  }
}

/** An image named by tag "latest", or by none, may change under its name. */
function pullPolicyOf(image: string): 'Always' | 'IfNotPresent' {
  return parseImageName(image)?.tag === 'latest' ? 'Always' : 'IfNotPresent'
}

function defaultProbe(probe: Probe | undefined): void {
  if (!probe) return
  probe.timeoutSeconds ??= 1
  probe.periodSeconds ??= 10
  probe.successThreshold ??= 1
  probe.failureThreshold ??= 3
  defaultHandler(probe)
}

function defaultHandler(handler: Pick<LifecycleHandler, 'httpGet'> | undefined): void {
  if (!handler?.httpGet) return
  handler.httpGet.path ??= '/'
  handler.httpGet.scheme ??= 'HTTP'
}

function defaultFieldRef(reference: ObjectFieldSelector | undefined): void {
  if (reference) reference.apiVersion ??= 'v1'
}

/** Quantities that Go never leaves out: "0" stands for one unit. */
function defaultResourceFieldRef(reference: ResourceFieldSelector | undefined): void {
  if (reference) reference.divisor ??= '0'
}

export function defaultVolume(volume: Volume): void {
  if (Object.keys(volume).every((name) => name === 'name' || volume[name as keyof Volume] === undefined)) volume.emptyDir = {}
  const { secret, configMap, downwardAPI, projected, hostPath, image, ephemeral } = volume
  for (const source of [secret, configMap, downwardAPI, projected]) if (source) source.defaultMode ??= READABLE_BY_ALL
  if (hostPath) hostPath.type ??= ''
  if (image) image.pullPolicy ??= pullPolicyOf(image.reference ?? '')
  if (ephemeral?.volumeClaimTemplate) defaultClaimSpec(ephemeral.volumeClaimTemplate.spec)
  const files = [downwardAPI, ...(projected?.sources ?? []).map((source) => source.downwardAPI)].flatMap((source) => source?.items ?? [])
  for (const { fieldRef, resourceFieldRef } of files) {
    defaultFieldRef(fieldRef)
    defaultResourceFieldRef(resourceFieldRef)
  }
  for (const { serviceAccountToken } of projected?.sources ?? []) if (serviceAccountToken) serviceAccountToken.expirationSeconds ??= HOUR
}

/** Of claims by themselves and in templates. */
export function defaultClaimSpec(spec: { volumeMode?: string; resources?: { limits?: Quantities; requests?: Quantities } }): void {
  spec.volumeMode ??= 'Filesystem'
  defaultResources(spec.resources)
}

type Quantities = Record<string, string>
