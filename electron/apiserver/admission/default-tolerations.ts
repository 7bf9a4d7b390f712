/**
 * Pods bear a node that is not ready or out of reach for a while before they are evicted. Source: kubernetes
 * `plugin/pkg/admission/defaulttolerationseconds`.
 */
import type { Pod, Toleration } from '../../api/core/v1/types.gen.ts'
import type { AdmissionPlugin } from './admission.ts'

export const DEFAULT_TOLERATION_SECONDS = 300
const KEYS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

export function defaultTolerations(seconds: number): AdmissionPlugin {
  return {
    name: 'DefaultTolerationSeconds',
    handles: ({ operation, kind, subresource }) =>
      (operation === 'CREATE' || operation === 'UPDATE') && subresource === '' && kind.group === '' && kind.resource === 'pods',
    admit({ object }) {
      const { spec } = object as Pod
      const missing = KEYS.filter((key) => !spec.tolerations?.some((toleration) => covers(toleration, key)))
      if (missing.length === 0) return
      const added = missing.map((key): Toleration => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: seconds }))
      spec.tolerations = [...(spec.tolerations ?? []), ...added]
    },
  }
}

function covers({ key, effect }: Toleration, wanted: string): boolean {
  return (key === wanted || !key) && (effect === 'NoExecute' || !effect)
}
