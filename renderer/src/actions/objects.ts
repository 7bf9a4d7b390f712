/** Deleting, and what any object can have done to it. */
import { t, tn } from '../i18n/index.ts'
import { pathTo } from '../kube/api.ts'
import { fullName, kubectlName, type ObjectRef } from '../kube/resources.ts'
import { inNamespace, type Plan, type Step } from './plan.ts'

export interface DeleteChoice {
  /** Leave what the object owns (its pods) where it is. */
  readonly orphan?: boolean
  /** Do not wait for a graceful end; only for pods. */
  readonly now?: boolean
}

export function deleteStep(ref: ObjectRef, choice: DeleteChoice = {}): Step {
  const options = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    propagationPolicy: choice.orphan ? 'Orphan' : 'Background',
    ...(choice.now ? { gracePeriodSeconds: 0 } : {}),
  }
  const flags = `${choice.orphan ? ' --cascade=orphan' : ''}${choice.now ? ' --grace-period=0 --force' : ''}`
  return {
    call: { method: 'DELETE', path: pathTo(ref), body: options },
    kubectl: `kubectl delete ${kubectlName(ref.resource)} ${ref.name}${inNamespace(ref.namespace)}${flags}`,
  }
}

export function deleteObjects(refs: readonly ObjectRef[], choice: DeleteChoice = {}): Plan {
  const [first] = refs
  const one = refs.length === 1 && first
  return {
    done: one ? t('act.delete.done', { kind: first.resource.kind, name: fullName(first) }) : tn('act.delete.doneMany', refs.length),
    failed: one ? t('act.delete.failed', { kind: first.resource.kind, name: fullName(first) }) : t('act.delete.failedMany'),
    steps: refs.map((ref) => deleteStep(ref, choice)),
  }
}
