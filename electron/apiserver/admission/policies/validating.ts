/** ValidatingAdmissionPolicy. Source: apiserver `admission/plugin/policy/validating/dispatcher.go`. */
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '../../../api/admissionregistration/v1/types.gen.ts'
import { forbidden, StatusError, type StatusReason } from '../../../machinery/status.ts'
import type { AdmissionRequest } from '../../types.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { compileValidating, type CompiledValidating } from './compile-validating.ts'
import { collectParams, ConfigurationError } from './params.ts'
import { mayBeJudged, nameOf, type PolicyDeps, requestBindings } from './policy-deps.ts'
import { type Bound, criteriaOf, PolicySource } from './policy-source.ts'
import { judge, type Judgement } from './validate.ts'

const GROUP = { group: 'admissionregistration.k8s.io', version: 'v1' }
const KINDS = {
  policies: { ...GROUP, resource: 'validatingadmissionpolicies' },
  bindings: { ...GROUP, resource: 'validatingadmissionpolicybindings' },
}
const CODES: Readonly<Record<string, number>> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413, Invalid: 422 }
const FAILURES = 'validation.policy.admission.k8s.io/validation_failure'
const MOST_FAILURES = 50
const LONGEST_ANNOTATION = 10 * 1024

type Active = Bound<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, CompiledValidating>

interface Refusal {
  readonly message: string
  readonly reason: string
}

interface Findings {
  readonly refusals: Refusal[]
  /** For the audit log. */
  readonly failures: object[]
}

export function validatingPolicies(deps: PolicyDeps): AdmissionPlugin {
  const { lookup, matcher } = deps
  const source = new PolicySource<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, CompiledValidating>(
    lookup,
    KINDS,
    ({ spec }) => compileValidating(spec),
  )

  async function judgePolicy(active: Active, request: AdmissionRequest, findings: Findings): Promise<void> {
    const { policy, compiled, bindings } = active
    const shown = await matcher.match(criteriaOf(policy.spec.matchConstraints), request)
    if (!shown) return
    const annotations = new Map<string, Set<string>>()
    for (const binding of bindings) {
      if (!(await matcher.narrows(criteriaOf(binding.spec.matchResources), request))) continue
      try {
        for (const params of await collectParams(policy.spec.paramKind, binding.spec.paramRef, request.namespace, deps)) {
          const judgement = await judge(policy.spec, compiled, await requestBindings(deps, request, shown, params))
          act(policy, binding, judgement, request, findings)
          for (const [key, value] of judgement.annotations)
            annotations.set(key, (annotations.get(key) ?? new Set()).add(value.slice(0, LONGEST_ANNOTATION)))
        }
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error
        if (policy.spec.failurePolicy === 'Ignore') continue
        findings.refusals.push(refusal(policy, binding, `failed to configure binding: ${error.message}`, 'Invalid'))
      }
    }
    for (const [key, values] of annotations) request.annotate?.(`${policy.metadata.name}/${key}`, [...values].join(', '))
  }

  return {
    name: 'ValidatingAdmissionPolicy',
    handles: (request) => !source.isEmpty && mayBeJudged(request),
    async validate(request) {
      const findings: Findings = { refusals: [], failures: [] }
      for (const active of await source.bound()) await judgePolicy(active, request, findings)
      if (findings.failures.length > 0) request.annotate?.(FAILURES, JSON.stringify(findings.failures.slice(0, MOST_FAILURES)))
      const [first] = findings.refusals
      if (first) throw refused(request, first)
    },
  }
}

/** Does what the binding wants done about each denial. */
function act(
  policy: ValidatingAdmissionPolicy,
  binding: ValidatingAdmissionPolicyBinding,
  { denials, failures }: Judgement,
  request: AdmissionRequest,
  findings: Findings,
): void {
  const { validationActions } = binding.spec
  for (const { message, reason, index } of denials) {
    for (const action of validationActions) {
      if (action === 'Deny') findings.refusals.push(refusal(policy, binding, message, reason))
      else if (action === 'Warn')
        request.warn?.(
          `Validation failed for ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}': ${message}`,
        )
      else {
        const about = { message, policy: binding.spec.policyName, binding: binding.metadata.name }
        findings.failures.push({ ...about, expressionIndex: index, validationActions })
      }
    }
  }
  for (const { message, reason } of failures) findings.refusals.push(refusal(policy, binding, message, reason))
}

function refusal(policy: ValidatingAdmissionPolicy, binding: ValidatingAdmissionPolicyBinding, why: string, reason: string): Refusal {
  const which = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}'`
  return { message: `${which} denied request: ${why}`, reason }
}

function refused(request: AdmissionRequest, { message, reason }: Refusal): StatusError {
  const { status } = forbidden(request.kind, nameOf(request), message)
  const details = { ...status.details, causes: [{ message }] }
  return new StatusError({ ...status, reason: reason as StatusReason, code: CODES[reason] ?? 422, details })
}
