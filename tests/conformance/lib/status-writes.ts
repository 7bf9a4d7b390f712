/** The shape of the rows "GET, PUT and PATCH of /status work, and the conditions of both writes are found by later reads". */
import assert from 'node:assert/strict'
import type { Kind } from '../../../electron/api/kind.ts'
import type { Draft, KubeObject } from '../../../electron/api/meta/v1/object.ts'
import type { Behaviour, BehaviourContext } from './behaviour.ts'
import { startWatch } from './watching.ts'
import { updateObject } from './whole-api.ts'

interface WithConditions extends KubeObject {
  status: { conditions?: object[] }
}

export const conditionOf = (type: string) => ({ type, status: 'True' as const, reason: 'Conformance', message: `set by ${type}` })

/** Each condition must show in the write's answer, in `/status`, in the object, and in a watch on it. */
export function statusWrites<T extends KubeObject>(
  kind: Kind<T>,
  draft: (context: BehaviourContext) => Draft<T>,
  condition: (type: string) => object = conditionOf,
): Behaviour {
  return async (context) => {
    const { client, signal } = context
    const typed = kind as unknown as Kind<WithConditions>
    const made = await client.create(kind, draft(context))
    const at = made.metadata
    const status = { subresource: 'status' }
    assert.equal((await client.get(typed, at, status)).metadata.uid, at.uid)

    const fieldSelector = `metadata.name=${at.name}`
    await using watching = await startWatch(client, typed, { namespace: at.namespace, fieldSelector, signal })
    const has = (object: WithConditions, type: string) =>
      (object.status.conditions ?? []).some((one) => {
        const wanted = condition(type)
        return Object.entries(wanted).every(([name, value]) => (one as Record<string, unknown>)[name] === value)
      })
    const seen = async (answer: WithConditions, type: string) => {
      assert.ok(has(answer, type), `the answer lacks ${type}`)
      assert.ok(has(await client.get(typed, at, status), type), `/status lacks ${type}`)
      assert.ok(has(await client.get(typed, at), type), `the object lacks ${type}`)
      await watching.until('MODIFIED', (object) => has(object, type))
    }
    const updated = await updateObject(
      context,
      typed,
      at,
      (object) => void (object.status.conditions = [...(object.status.conditions ?? []), condition('StatusUpdated')]),
      'status',
    )
    await seen(updated, 'StatusUpdated')

    const conditions = [...((await client.get(typed, at)).status.conditions ?? []), condition('StatusPatched')]
    const patched = await client.patch(typed, at, { type: 'merge', body: { status: { conditions } } }, status)
    await seen(patched, 'StatusPatched')
  }
}
