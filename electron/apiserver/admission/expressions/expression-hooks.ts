/** Refuses configurations of admission whose expressions do not compile. Source: kubernetes `apis/admissionregistration/validation`. */
import type {
  MatchCondition,
  MutatingAdmissionPolicy,
  MutatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingWebhookConfiguration,
} from '../../../api/admissionregistration/v1/types.gen.ts'
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import { semanticEqual } from '../../../api/values/equal.ts'
import { invalid, type FieldError } from '../../../api/values/field-error.ts'
import { invalidObject } from '../../../machinery/status.ts'
import type { KindTypes } from '../../registry/kind-types.ts'
import type { ResourceHooks } from '../../registry/registry.ts'
import type { Resources } from '../../resources.ts'
import { compileMutating } from '../policies/compile-mutating.ts'
import { typeWarnings } from '../policies/type-checking.ts'
import { compileValidating } from '../policies/compile-validating.ts'
import type { Expression } from './expression.ts'
import { compileConditions, type Conditions, WEBHOOK_CONDITIONS } from './match-conditions.ts'

type WebhookConfiguration = ValidatingWebhookConfiguration | MutatingWebhookConfiguration

const GROUP = 'admissionregistration.k8s.io'

export function expressionHooks(deps: {
  readonly resources: Resources
  readonly types: KindTypes
}): [resource: string, hooks: ResourceHooks][] {
  return [
    [`validatingwebhookconfigurations.${GROUP}`, refusing(webhookFaults)],
    [`mutatingwebhookconfigurations.${GROUP}`, refusing(webhookFaults)],
    [
      `validatingadmissionpolicies.${GROUP}`,
      typeChecked(
        refusing((object) => validatingFaults(object as ValidatingAdmissionPolicy)),
        deps,
      ),
    ],
    [`mutatingadmissionpolicies.${GROUP}`, refusing((object) => mutatingFaults(object as MutatingAdmissionPolicy))],
  ]
}

/** What was stored before stays good as long as nobody changes it. */
function refusing(faultsOf: (object: KubeObject) => FieldError[]): ResourceHooks {
  const check = (object: KubeObject) => {
    const faults = faultsOf(object)
    if (faults.length > 0) throw invalidObject({ group: GROUP, kind: object.kind }, object.metadata.name, faults)
    return null
  }
  const content = ({ spec, webhooks }: { spec?: unknown; webhooks?: unknown }) => ({ spec, webhooks })
  return {
    create: (object) => check(object),
    update: (object, old) => (semanticEqual(content(object as object), content(old as object)) ? null : check(object)),
  }
}

/** Says in the status of a new or changed policy what does not fit the kinds that it is for. */
function typeChecked(hooks: ResourceHooks, deps: { readonly resources: Resources; readonly types: KindTypes }): ResourceHooks {
  const check = (object: KubeObject, generation: number) => {
    const policy = object as ValidatingAdmissionPolicy
    const expressionWarnings = typeWarnings(policy.spec, deps)
    const typeChecking = expressionWarnings.length > 0 ? { expressionWarnings } : {}
    policy.status = { ...policy.status, observedGeneration: generation, typeChecking }
  }
  return {
    async create(object, call) {
      const companions = await hooks.create?.(object, call)
      check(object, object.metadata.generation ?? 1)
      return companions ?? null
    },
    async update(object, old, call) {
      const companions = await hooks.update?.(object, old, call)
      const changed = !semanticEqual((object as ValidatingAdmissionPolicy).spec, (old as ValidatingAdmissionPolicy).spec)
      if (changed) check(object, (old.metadata.generation ?? 0) + 1)
      return companions ?? null
    },
  }
}

function webhookFaults(object: KubeObject): FieldError[] {
  return ((object as WebhookConfiguration).webhooks ?? []).flatMap(({ matchConditions }, i) =>
    conditionFaults(compileConditions(matchConditions, WEBHOOK_CONDITIONS()), matchConditions, `webhooks[${i}].matchConditions`),
  )
}

function validatingFaults({ spec }: ValidatingAdmissionPolicy): FieldError[] {
  const compiled = compileValidating(spec)
  return [
    ...conditionFaults(compiled.conditions, spec.matchConditions, 'spec.matchConditions'),
    ...[...compiled.variables.values()].flatMap((one, i) => faultOf(one, `spec.variables[${i}].expression`)),
    ...compiled.validations.flatMap(({ rule, message }, i) => [
      ...faultOf(rule, `spec.validations[${i}].expression`),
      ...(message ? faultOf(message, `spec.validations[${i}].messageExpression`) : []),
    ]),
    ...compiled.annotations.flatMap((one, i) => faultOf(one, `spec.auditAnnotations[${i}].valueExpression`)),
  ]
}

function mutatingFaults({ spec }: MutatingAdmissionPolicy): FieldError[] {
  const compiled = compileMutating(spec)
  return [
    ...conditionFaults(compiled.conditions, spec.matchConditions, 'spec.matchConditions'),
    ...[...compiled.variables.values()].flatMap((one, i) => faultOf(one, `spec.variables[${i}].expression`)),
    ...compiled.mutations.flatMap(({ type, expression }, i) => {
      const half = type === 'JSONPatch' ? 'jsonPatch' : 'applyConfiguration'
      return faultOf(expression, `spec.mutations[${i}].${half}.expression`)
    }),
  ]
}

function conditionFaults(conditions: Conditions, said: readonly MatchCondition[] | undefined, field: string): FieldError[] {
  return conditions.flatMap((one, i) => (said?.[i] ? faultOf(one, `${field}[${i}].expression`) : []))
}

/** An empty one is the kind's own validation's. */
function faultOf({ source, error }: Expression, field: string): FieldError[] {
  return error && source !== '' ? [invalid(field, source, error)] : []
}
