/** Conditions that a request must meet for an authorization webhook to be asked. Source: KEP-3221, apiserver `authorization/cel`. */
import type { SubjectAccessReviewSpec } from '../../../api/authorization/v1/types.gen.ts'
import { fromJson } from '../../../machinery/cel/json.ts'
import { kubernetesEnvironment } from '../../../machinery/cel/library/kubernetes/kubernetes.ts'
import { Budget, type Program } from '../../../machinery/cel/program.ts'
import { BOOL, formatType, listOf, mapOf, recordType, sameType, STRING } from '../../../machinery/cel/types.ts'

/** What all conditions of one webhook may cost for one request. */
const BUDGET = 2_500_000

const REQUIREMENT = recordType('kubernetes.SelectorRequirement', { key: STRING, operator: STRING, values: listOf(STRING) })
const SELECTOR = recordType('kubernetes.SelectorAttributes', { rawSelector: STRING, requirements: listOf(REQUIREMENT) })
const RESOURCE = recordType('kubernetes.ResourceAttributes', {
  ...{ namespace: STRING, verb: STRING, group: STRING, version: STRING, resource: STRING, subresource: STRING, name: STRING },
  ...{ fieldSelector: SELECTOR, labelSelector: SELECTOR },
})
const REQUEST = recordType('kubernetes.SubjectAccessReviewSpec', {
  resourceAttributes: RESOURCE,
  nonResourceAttributes: recordType('kubernetes.NonResourceAttributes', { path: STRING, verb: STRING }),
  user: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
  uid: STRING,
})

/** Null and why, if it cannot be used. */
export function compileCondition(source: string): { program: Program | null; error: string } {
  const { program, message } = kubernetesEnvironment()
    .extend({ variables: { request: REQUEST } })
    .compile(source)
  if (!program) return { program: null, error: `compilation failed: ${message}` }
  if (!sameType(program.type, BOOL)) return { program: null, error: `must evaluate to ${formatType(BOOL)}` }
  return { program, error: '' }
}

/** One that is not met is enough, whatever is wrong with others. Throws Error if it is not known. */
export function meetsConditions(conditions: readonly Program[], spec: SubjectAccessReviewSpec): boolean {
  if (conditions.length === 0) return true
  const bindings = { request: fromJson(seen(spec), REQUEST) }
  const budget = new Budget(BUDGET)
  const errors: string[] = []
  for (const condition of conditions) {
    try {
      if (condition.evaluate(bindings, budget) === false) return false
    } catch (error) {
      errors.push(`cel evaluation error: expression '${condition.source}' resulted in error: ${(error as Error).message}`)
    }
    if (budget.exhausted) throw new Error('the match conditions cost too much')
  }
  if (errors.length > 0) throw new Error(errors.join(', '))
  return true
}

/** Texts are there even if they are empty, so that conditions need not ask for each whether it is. */
function seen({
  resourceAttributes: resource,
  nonResourceAttributes: other,
  user = '',
  groups = [],
  extra = {},
  uid = '',
}: SubjectAccessReviewSpec) {
  const { namespace = '', verb = '', group = '', version = '', subresource = '', name = '' } = resource ?? {}
  const texts = { namespace, verb, group, version, resource: resource?.resource ?? '', subresource, name }
  const { fieldSelector, labelSelector } = resource ?? {}
  const selectors = { ...(fieldSelector ? { fieldSelector } : {}), ...(labelSelector ? { labelSelector } : {}) }
  return {
    ...(resource ? { resourceAttributes: { ...texts, ...selectors } } : {}),
    ...(other ? { nonResourceAttributes: { path: other.path ?? '', verb: other.verb ?? '' } } : {}),
    ...{ user, groups, extra, uid },
  }
}
