/** MutatingAdmissionPolicy. Source: apiserver `admission/plugin/policy/mutating/dispatcher.go`. */
import type { MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding } from '../../../api/admissionregistration/v1/types.gen.ts'
import type { AnyKind } from '../../../api/kind.ts'
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import { semanticEqual } from '../../../api/values/equal.ts'
import { Budget } from '../../../machinery/cel/program.ts'
import { forbidden, StatusError } from '../../../machinery/status.ts'
import type { KindTypes } from '../../registry/kind-types.ts'
import type { AdmissionRequest } from '../../types.ts'
import type { AdmissionPlugin, Rounds } from '../admission.ts'
import { LazyVariables } from '../expressions/bindings.ts'
import { evaluate, OutOfBudget, POLICY_BUDGET } from '../expressions/expression.ts'
import { ConditionError, meetsConditions } from '../expressions/match-conditions.ts'
import { convert } from '../matching/equivalents.ts'
import { replaceObject } from '../replace-object.ts'
import { Reinvocations } from '../webhooks/reinvocations.ts'
import { compileMutating, type CompiledMutating } from './compile-mutating.ts'
import { applyMutation, MutationError } from './mutate.ts'
import { collectParams, ConfigurationError } from './params.ts'
import { mayBeJudged, nameOf, type PolicyDeps, requestBindings } from './policy-deps.ts'
import { type Bound, criteriaOf, PolicySource } from './policy-source.ts'

const NAME = 'MutatingAdmissionPolicy'
const GROUP = { group: 'admissionregistration.k8s.io', version: 'v1' }
const KINDS = {
  policies: { ...GROUP, resource: 'mutatingadmissionpolicies' },
  bindings: { ...GROUP, resource: 'mutatingadmissionpolicybindings' },
}

type Active = Bound<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, CompiledMutating>

export function mutatingPolicies(deps: PolicyDeps & { readonly types: KindTypes }): AdmissionPlugin {
  const { lookup, matcher, types } = deps
  const source = new PolicySource<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, CompiledMutating>(lookup, KINDS, ({ spec }) =>
    compileMutating(spec),
  )

  /** Whether the object is another afterwards. */
  async function mutate(
    { policy, compiled }: Active,
    request: AdmissionRequest,
    shown: AnyKind,
    params: KubeObject | null,
  ): Promise<boolean> {
    const { object, kind, sent } = request
    if (!object) return false
    let changed = false
    for (const { type, expression } of compiled.mutations) {
      const budget = new Budget(POLICY_BUDGET)
      const seen = await requestBindings(deps, request, shown, params)
      const bindings = { ...seen, variables: new LazyVariables(compiled.variables, seen, budget) }
      const { value, error } = await evaluate(expression, bindings, budget)
      if (error !== undefined) throw new MutationError(error)
      const before = sent ? object : await convert(object, kind, shown)
      const after = applyMutation(type, value, before, sent ?? shown, types.type(sent ?? shown))
      const decoded = decode(sent ?? shown, after)
      if (semanticEqual(before, decoded)) continue
      replaceObject(object, sent ? decoded : await convert(decoded, shown, kind))
      changed = true
    }
    if (changed) request.annotate?.(`mutation.policy.admission.k8s.io/${policy.metadata.name}`, 'true')
    return changed
  }

  function decode(kind: AnyKind, value: unknown): KubeObject {
    try {
      const { metadata } = value as KubeObject
      const known = { ...metadata, creationTimestamp: metadata.creationTimestamp || null, uid: metadata.uid || undefined }
      return types.fromValue(kind, { ...(value as KubeObject), metadata: known }, 'Ignore', () => {})
    } catch (error) {
      if (error instanceof StatusError) throw new MutationError(error.message, { cause: error })
      throw error
    }
  }

  async function apply(active: Active, request: AdmissionRequest, rounds: Rounds, state: Reinvocations): Promise<string[]> {
    const { policy, compiled, bindings } = active
    const { spec } = policy
    const shown = await matcher.match(criteriaOf(spec.matchConstraints), request)
    if (!shown) return []
    const errors: string[] = []
    for (const binding of bindings) {
      if (!(await matcher.narrows(criteriaOf(binding.spec.matchResources), request))) continue
      try {
        for (const params of await collectParams(spec.paramKind, binding.spec.paramRef, request.namespace, deps)) {
          const seen = await requestBindings(deps, request, shown, params)
          if (!(await meetsConditions(compiled.conditions, () => seen, spec.failurePolicy))) continue
          const id = [policy.metadata.name, binding.metadata.name, params?.metadata.namespace ?? '', params?.metadata.name ?? ''].join('/')
          if (rounds.again && !state.isDue(id)) continue
          if (await mutate(active, request, shown, params)) {
            state.changed()
            rounds.wantAnother()
          }
          if (spec.reinvocationPolicy === 'IfNeeded') state.invoked(id)
        }
      } catch (error) {
        if (!isPolicyFailure(error)) throw error
        if (spec.failurePolicy === 'Ignore') continue
        const why = error instanceof ConfigurationError ? `failed to configure binding: ${error.message}` : error.message
        errors.push(`policy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${why}`)
      }
    }
    return errors
  }

  return {
    name: NAME,
    handles: (request) => !source.isEmpty && mayBeJudged(request) && request.object !== null,
    async admit(request, rounds) {
      const state = rounds.state(NAME, () => new Reinvocations())
      if (rounds.again) state.noticeChange(request.object)
      const errors: string[] = []
      for (const active of await source.bound()) errors.push(...(await apply(active, request, rounds, state)))
      state.remember(request.object)
      const [first] = errors
      if (first === undefined) return
      const { status } = forbidden(request.kind, nameOf(request), 'admission request denied by policy')
      const details = { ...status.details, causes: errors.map((message) => ({ message })) }
      throw new StatusError({ ...status, message: first, reason: 'Invalid', details })
    },
  }
}

function isPolicyFailure(error: unknown): error is Error {
  return [ConfigurationError, MutationError, ConditionError, OutOfBudget].some((type) => error instanceof type)
}
