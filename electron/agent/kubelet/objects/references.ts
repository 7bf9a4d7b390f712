/** Which ConfigMaps and Secrets a pod names, anywhere in its spec. */
import type { Container, EphemeralContainer, Pod } from '../../../api/core/v1/types.gen.ts'

export interface PodReferences {
  readonly configMaps: ReadonlySet<string>
  readonly secrets: ReadonlySet<string>
}

export function referencesOf({ spec }: Pod): PodReferences {
  const configMaps = new Set<string>()
  const secrets = new Set<string>()
  const add = (set: Set<string>, name: string | undefined) => {
    if (name) set.add(name)
  }
  const containers: (Container | EphemeralContainer)[] = [
    ...spec.containers,
    ...(spec.initContainers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ]
  for (const { env = [], envFrom = [] } of containers) {
    for (const { valueFrom } of env) {
      add(configMaps, valueFrom?.configMapKeyRef?.name)
      add(secrets, valueFrom?.secretKeyRef?.name)
    }
    for (const source of envFrom) {
      add(configMaps, source.configMapRef?.name)
      add(secrets, source.secretRef?.name)
    }
  }
  for (const volume of spec.volumes ?? []) {
    add(configMaps, volume.configMap?.name)
    add(secrets, volume.secret?.secretName)
    for (const source of volume.projected?.sources ?? []) {
      add(configMaps, source.configMap?.name)
      add(secrets, source.secret?.name)
    }
  }
  for (const { name } of spec.imagePullSecrets ?? []) add(secrets, name)
  return { configMaps, secrets }
}
