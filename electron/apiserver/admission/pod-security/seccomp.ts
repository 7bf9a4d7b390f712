/** Which system calls a container may make: never all of them. Source: k8s.io/pod-security-admission `policy`. */
import { goQuote } from '../../../api/values/field-error.ts'
import { containersWhere, distinct, named, plural, quoted, setters, settings, type Rule } from './check.ts'

const POD_ANNOTATION = 'seccomp.security.alpha.kubernetes.io/pod'
const CONTAINER_ANNOTATION = 'container.seccomp.security.alpha.kubernetes.io/'
const reason = 'seccompProfile'

const filters = (type: string) => type === 'Localhost' || type === 'RuntimeDefault'

/** Before there was a field. */
export const seccompOfAnnotations: Rule = ({ annotations, containers }) => {
  const keys = [POD_ANNOTATION, ...containers.map(({ name }) => CONTAINER_ANNOTATION + name)]
  const bad = keys.flatMap((key) => {
    const value = annotations[key]
    const allowed = value === undefined || ['runtime/default', 'docker/default'].includes(value) || value.startsWith('localhost/')
    return allowed ? [] : [`${key}=${goQuote(value)}`]
  })
  const found = distinct(bad)
  return found.length > 0 ? { reason, detail: `forbidden ${plural('annotation', found.length)} ${found.join(', ')}` } : null
}

/** No profile at all is fine. */
export const seccompOfFields: Rule = (pod) => {
  const who = setters(pod, ({ seccompProfile }) => seccompProfile !== undefined && !filters(seccompProfile.type))
  if (who === '') return null
  const types = distinct(settings(pod, ({ seccompProfile }) => seccompProfile?.type).filter((type) => !filters(type)))
  return { reason, detail: `${who} must not set securityContext.seccompProfile.type to ${quoted(types)}` }
}

export const seccompRequired: Rule = (pod) => {
  const bad = seccompOfFields(pod)
  if (bad || pod.spec.securityContext?.seccompProfile) return bad
  const names = containersWhere(pod, ({ securityContext }) => !securityContext?.seccompProfile)
  if (names.length === 0) return null
  const who = `pod or ${named('container', names)}`
  return { reason, detail: `${who} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"` }
}
