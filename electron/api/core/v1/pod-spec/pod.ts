/** Checks of a whole pod, new or changed. Source: kubernetes `core/validation`, `validatePodMetadataAndSpec`, `ValidatePodCreate`. */
import { forbidden, type FieldError } from '../../../values/field-error.ts'
import type { Pod } from '../types.gen.ts'
import { MIRROR_POD, validatePodAnnotations, validateProfileAnnotations } from './annotations.ts'
import { validateImageWhitespace } from './containers.ts'
import { validatePodSpec } from './pod-spec.ts'

/** At all times. */
export function validatePod({ metadata, spec }: Pod): FieldError[] {
  const annotations = metadata.annotations ?? {}
  const out = [
    ...validatePodAnnotations(annotations, spec, 'metadata.annotations'),
    ...validatePodSpec(spec, 'spec', { pod: { name: metadata.name, isMirror: annotations[MIRROR_POD] !== undefined } }),
  ]
  if (!spec.serviceAccountName) {
    spec.volumes?.forEach(({ projected }, i) =>
      projected?.sources?.forEach(({ serviceAccountToken }, j) => {
        if (!serviceAccountToken) return
        const field = `spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`
        out.push(forbidden(field, 'must not be specified when serviceAccountName is not set'))
      }),
    )
  }
  for (const list of ['containers', 'initContainers'] as const) {
    spec[list]?.forEach((container, i) => out.push(...validateImageWhitespace(container, `spec.${list}[${i}]`)))
  }
  return out
}

/** When it is made. */
export function validateNewPod(pod: Pod): FieldError[] {
  const { metadata, spec } = pod
  const out = validatePod(pod)
  if (spec.ephemeralContainers?.length) out.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'))
  if (spec.nodeName && spec.schedulingGates?.length) {
    out.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'))
  }
  return [...out, ...validateProfileAnnotations(metadata.annotations ?? {}, spec, 'spec')]
}
