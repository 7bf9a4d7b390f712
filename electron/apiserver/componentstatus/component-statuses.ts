/** Answers ComponentStatuses: what the parts of the control plane say of themselves. Source: kubernetes `registry/core/componentstatus`. */
import { componentStatus } from '../../api/core/v1/component-status.ts'
import type { ComponentStatus } from '../../api/core/v1/types.gen.ts'
import { apiVersionOf } from '../../api/kind.ts'
import type { ObjectMeta } from '../../api/meta/v1/object.ts'
import { messageOf } from '../../base/errors.ts'
import { notFound } from '../../machinery/status.ts'
import { parseLabelSelector } from '../../machinery/selector/label-selector.ts'
import type { Reader } from '../types.ts'

/** Throws Error that says what is wrong. */
export type ComponentCheck = () => Promise<void> | void

export class ComponentStatuses {
  readonly #checks = new Map<string, ComponentCheck>()

  add(name: string, check: ComponentCheck): void {
    this.#checks.set(name, check)
  }

  readonly reader: Reader = {
    get: async ({ name }) => {
      const check = this.#checks.get(name)
      if (!check) throw notFound(componentStatus, name)
      return statusOf(name, check)
    },
    list: async ({ labelSelector }) => {
      const selector = parseLabelSelector(labelSelector)
      const all = await Promise.all([...this.#checks].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, check]) => statusOf(name, check)))
      return all.filter(({ metadata }) => selector.matches(metadata.labels))
    },
  }
}

async function statusOf(name: string, check: ComponentCheck): Promise<ComponentStatus> {
  const error = await Promise.try(check).then(() => null, messageOf)
  const condition = error === null ? { status: 'True', message: 'ok' } : { status: 'False', message: error }
  return {
    kind: componentStatus.kind,
    apiVersion: apiVersionOf(componentStatus),
    metadata: { name, creationTimestamp: null } as unknown as ObjectMeta,
    conditions: [{ type: 'Healthy', ...condition }],
  }
}
