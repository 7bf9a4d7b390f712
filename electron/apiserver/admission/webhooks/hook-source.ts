/** The webhooks that are configured now, in the order in which they are asked: that of their configurations' names. */
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import type { KindName, Lookup } from '../../registry/lookup.ts'
import { compileConditions, type Conditions, WEBHOOK_CONDITIONS } from '../expressions/match-conditions.ts'
import type { Criteria } from '../matching/request-matcher.ts'
import type { Webhook } from './call.ts'

export interface Hook {
  readonly webhook: Webhook
  readonly configuration: string
  /** Of its own among all of its kind. */
  readonly id: string
  readonly criteria: Criteria
  readonly conditions: Conditions
}

interface Configuration extends KubeObject {
  readonly webhooks?: readonly Webhook[]
}

export class HookSource {
  readonly #lookup: Lookup
  readonly #kind: KindName
  /** A configuration is frozen: another version of it is another object. */
  readonly #known = new WeakMap<Configuration, readonly Hook[]>()

  constructor(lookup: Lookup, kind: KindName) {
    this.#lookup = lookup
    this.#kind = kind
  }

  /** Known to be so without waiting. */
  get isEmpty(): boolean {
    return this.#lookup.isEmpty(this.#kind)
  }

  async hooks(): Promise<readonly Hook[]> {
    const configurations = await this.#lookup.list<Configuration>(this.#kind)
    return configurations.flatMap((configuration) => {
      let hooks = this.#known.get(configuration)
      if (!hooks) {
        hooks = hooksOf(configuration)
        this.#known.set(configuration, hooks)
      }
      return hooks
    })
  }
}

function hooksOf({ metadata, webhooks = [] }: Configuration): Hook[] {
  return webhooks.map((webhook, i) => ({
    webhook,
    configuration: metadata.name,
    conditions: compileConditions(webhook.matchConditions, WEBHOOK_CONDITIONS()),
    id: `${metadata.name}/${webhook.name}/${i}`,
    criteria: {
      rules: webhook.rules ?? [],
      ...(webhook.matchPolicy ? { matchPolicy: webhook.matchPolicy } : {}),
      ...(webhook.namespaceSelector ? { namespaceSelector: webhook.namespaceSelector } : {}),
      ...(webhook.objectSelector ? { objectSelector: webhook.objectSelector } : {}),
    },
  }))
}
