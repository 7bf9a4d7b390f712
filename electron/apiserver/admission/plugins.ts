import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { KindTypes } from '../registry/kind-types.ts'
import type { Lookup } from '../registry/lookup.ts'
import type { Resources } from '../resources.ts'
import type { WebhookClient } from '../webhooks/webhook-client.ts'
import type { Authorizer } from '../types.ts'
import type { AdmissionPlugin } from './admission.ts'
import { claimResize } from './claim-resize.ts'
import { defaultIngressClass } from './default-ingress-class.ts'
import { defaultStorageClass } from './default-storage-class.ts'
import { DEFAULT_TOLERATION_SECONDS, defaultTolerations } from './default-tolerations.ts'
import { deviceRequests, deviceTaints } from './devices.ts'
import { Equivalents } from './matching/equivalents.ts'
import { RequestMatcher } from './matching/request-matcher.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { mutatingPolicies } from './policies/mutating.ts'
import { validatingPolicies } from './policies/validating.ts'
import type { PodSecurityConfiguration } from './pod-security/configuration.ts'
import { podSecurity } from './pod-security/pod-security.ts'
import { podTopologyLabels } from './pod-topology-labels.ts'
import { priorityAdmission } from './priority.ts'
import { runtimeClassAdmission } from './runtime-class.ts'
import { serviceAccountAdmission } from './service-account.ts'
import { storageProtection } from './storage-protection.ts'
import { taintNodes } from './taint-nodes.ts'
import { HookSource } from './webhooks/hook-source.ts'
import { MUTATING_WEBHOOKS, mutatingWebhooks } from './webhooks/mutating.ts'
import { VALIDATING_WEBHOOKS, validatingWebhooks } from './webhooks/validating.ts'

export interface PluginOptions {
  readonly lookup: Lookup
  readonly resources: Resources
  readonly types: KindTypes
  readonly webhooks: WebhookClient
  readonly authorize: Authorizer
  readonly clock: Clock
  readonly random: Random
  /** For pods on nodes that are not ready or out of reach. */
  readonly tolerationSeconds?: number
  /** What pods must be like where their namespace says nothing, and who need not care. */
  readonly podSecurity?: PodSecurityConfiguration | undefined
  /** Names of plugins to leave out, as kube-apiserver's `--disable-admission-plugins`. */
  readonly disabled?: readonly string[]
}

/** In the order in which they are asked, which is upstream's. Throws if `disabled` names one that does not exist. */
export function builtInPlugins(options: PluginOptions): AdmissionPlugin[] {
  const { lookup, resources, types, authorize, clock, random, tolerationSeconds = DEFAULT_TOLERATION_SECONDS, disabled = [] } = options
  const matcher = new RequestMatcher(lookup, new Equivalents(resources))
  const policies = { lookup, resources, matcher, authorize }
  const caller = { client: options.webhooks, random }
  const all = [
    namespaceLifecycle(lookup),
    limitRanger(lookup),
    serviceAccountAdmission(lookup, { clock, random }),
    taintNodes,
    podSecurity({ lookup, clock, configuration: options.podSecurity }),
    priorityAdmission(lookup),
    defaultTolerations(tolerationSeconds),
    defaultStorageClass(lookup),
    storageProtection,
    claimResize(lookup),
    runtimeClassAdmission(lookup),
    defaultIngressClass(lookup),
    podTopologyLabels(lookup),
    deviceTaints(clock),
    deviceRequests(lookup),
    mutatingPolicies({ ...policies, types }),
    mutatingWebhooks({ source: new HookSource(lookup, MUTATING_WEBHOOKS), matcher, caller, types, authorize }),
    validatingPolicies(policies),
    validatingWebhooks({ source: new HookSource(lookup, VALIDATING_WEBHOOKS), matcher, caller, authorize }),
  ]
  const unknown = disabled.find((name) => !all.some((plugin) => plugin.name === name))
  if (unknown !== undefined) throw new Error(`there is no admission plugin ${unknown}`)
  return all.filter(({ name }) => !disabled.includes(name))
}
