/** The environment of a container. Source: kubernetes `kubelet_pods.go`. */
import type { ConfigMap, Container, EnvFromSource, EnvVar, Pod, Secret } from '../../../api/core/v1/types.gen.ts'
import { bytesFromBase64 } from '../../../api/values/base64.ts'
import { envVarName } from '../../../api/values/names.ts'
import { fieldValue, namedContainer, resourceValue } from './downward.ts'
import type { Allocatable, PodAddresses } from './downward.ts'
import { expand } from './expand.ts'

/** ConfigMaps and Secrets of the pod's namespace as they are now. */
export interface ReferencedObjects {
  /** null if there is none; rejects if that cannot be known. */
  configMap(namespace: string, name: string): Promise<ConfigMap | null>
  secret(namespace: string, name: string): Promise<Secret | null>
}

export interface EnvironmentInput {
  readonly pod: Pod
  readonly container: Container
  readonly addresses: PodAddresses
  readonly allocatable: Allocatable
  readonly objects: ReferencedObjects
  /** Variables that tell of Services; the container's own come before them. */
  readonly services: ReadonlyMap<string, string>
  /** Told of keys that are no names of variables. */
  readonly onSkipped: (source: string, keys: readonly string[]) => void
}

/** What a container cannot be made without. The message names it as kubelet does. */
export class ContainerConfigError extends Error {
  override readonly name = 'ContainerConfigError'
}

/** By name, in the order in which they were defined. Throws ContainerConfigError for what is missing and not optional. */
export async function makeEnvironment(input: EnvironmentInput): Promise<Map<string, string>> {
  const env = new Map<string, string>()
  for (const source of input.container.envFrom ?? []) await addAll(env, source, input)
  const lookup = (name: string) => env.get(name) ?? input.services.get(name)
  for (const variable of input.container.env ?? []) {
    const value = await valueOf(variable, lookup, input)
    if (value !== null) env.set(variable.name, value)
  }
  for (const [name, value] of input.services) if (!env.has(name)) env.set(name, value)
  return env
}

async function addAll(env: Map<string, string>, source: EnvFromSource, input: EnvironmentInput): Promise<void> {
  const namespace = input.pod.metadata.namespace ?? ''
  const reference = source.configMapRef ?? source.secretRef
  if (!reference) return
  const name = reference.name ?? ''
  const isSecret = source.secretRef !== undefined
  const object = isSecret ? await input.objects.secret(namespace, name) : await input.objects.configMap(namespace, name)
  if (!object) {
    if (reference.optional) return
    throw new ContainerConfigError(`${isSecret ? 'secret' : 'configmap'} "${name}" not found`)
  }
  const skipped: string[] = []
  for (const [key, value] of Object.entries(object.data ?? {})) {
    const full = `${source.prefix ?? ''}${key}`
    if (envVarName(full).length) skipped.push(key)
    else env.set(full, isSecret ? decode(value) : value)
  }
  if (skipped.length) input.onSkipped(`${isSecret ? 'secret' : 'configMap'} ${namespace}/${name}`, skipped.toSorted())
}

/** null: the variable is left out. */
async function valueOf(variable: EnvVar, lookup: (name: string) => string | undefined, input: EnvironmentInput): Promise<string | null> {
  const { valueFrom } = variable
  if (!valueFrom) return expand(variable.value ?? '', lookup)
  const { pod, container, objects } = input
  const namespace = pod.metadata.namespace ?? ''
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom
  if (fieldRef) return fieldValue(pod, fieldRef, input.addresses)
  if (resourceFieldRef) {
    const of = resourceFieldRef.containerName ? namedContainer(pod, resourceFieldRef.containerName) : container
    if (!of) throw new ContainerConfigError(`container ${resourceFieldRef.containerName} not found`)
    return resourceValue(of, resourceFieldRef, input.allocatable)
  }
  if (configMapKeyRef) {
    const name = configMapKeyRef.name ?? ''
    const object = await objects.configMap(namespace, name)
    if (!object && !configMapKeyRef.optional) throw new ContainerConfigError(`configmap "${name}" not found`)
    const value = object?.data?.[configMapKeyRef.key]
    if (value !== undefined || configMapKeyRef.optional) return value ?? null
    throw new ContainerConfigError(`couldn't find key ${configMapKeyRef.key} in ConfigMap ${namespace}/${name}`)
  }
  if (secretKeyRef) {
    const name = secretKeyRef.name ?? ''
    const object = await objects.secret(namespace, name)
    if (!object && !secretKeyRef.optional) throw new ContainerConfigError(`secret "${name}" not found`)
    const value = object?.data?.[secretKeyRef.key]
    if (value !== undefined) return decode(value)
    if (secretKeyRef.optional) return null
    throw new ContainerConfigError(`couldn't find key ${secretKeyRef.key} in Secret ${namespace}/${name}`)
  }
  if (valueFrom.fileKeyRef) throw new ContainerConfigError('environment variables from files (fileKeyRef) are not supported by this node')
  return ''
}

function decode(base64: string): string {
  return Buffer.from(bytesFromBase64(base64)).toString()
}

/** Command and arguments with the container's variables filled in. */
export function expandCommand(words: readonly string[] | undefined, env: ReadonlyMap<string, string>): string[] {
  return (words ?? []).map((word) => expand(word, (name) => env.get(name)))
}
