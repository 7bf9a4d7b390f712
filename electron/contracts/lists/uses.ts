import type { Pod } from '../../api/core/v1/types.gen.ts'

/** Whether a pod takes environment or files from a ConfigMap or Secret of this name. With `namespace`, only in that one. */
export function usesConfig(pod: Pod, kind: string, name: string, namespace?: string): boolean {
  if (namespace !== undefined && pod.metadata.namespace !== namespace) return false
  const secret = kind === 'Secret'
  const inVolumes = pod.spec.volumes?.some((v) =>
    secret
      ? v.secret?.secretName === name || v.projected?.sources?.some((s) => s.secret?.name === name)
      : v.configMap?.name === name || v.projected?.sources?.some((s) => s.configMap?.name === name),
  )
  const inEnv = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some(
    (c) =>
      c.envFrom?.some((from) => (secret ? from.secretRef?.name : from.configMapRef?.name) === name) ||
      c.env?.some((e) => (secret ? e.valueFrom?.secretKeyRef?.name : e.valueFrom?.configMapKeyRef?.name) === name),
  )
  return inVolumes === true || inEnv || (secret && pod.spec.imagePullSecrets?.some((s) => s.name === name) === true)
}
