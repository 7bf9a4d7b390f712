/**
 * Keeps the default objects there and as they should be, and says of each schema whether its level exists. Sources: kubernetes
 * "API Priority and Fairness", "Maintenance of the mandatory and suggested configuration objects"; apiserver `apf_controller.go`.
 */
import { flowSchema } from '../../api/flowcontrol/v1/flow-schema.ts'
import { priorityLevelConfiguration } from '../../api/flowcontrol/v1/priority-level-configuration.ts'
import type { FlowSchema, FlowSchemaCondition, PriorityLevelConfiguration } from '../../api/flowcontrol/v1/types.gen.ts'
import type { Kind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { formatTime } from '../../api/values/time.ts'
import { mapLimit } from '../../base/async.ts'
import type { Clock } from '../../base/clock.ts'
import type { Client } from '../../client/client.ts'
import { setCondition } from '../../machinery/conditions.ts'
import { hasReason } from '../../machinery/status.ts'
import { AUTOUPDATE, MANDATORY_LEVELS, MANDATORY_SCHEMAS, SUGGESTED_LEVELS, SUGGESTED_SCHEMAS } from '../../api/flowcontrol/v1/defaults.ts'

const AT_ONCE = 8
const MANAGER = 'api-priority-and-fairness-config-consumer-v1'

export interface UpkeepOptions {
  readonly client: Client
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** What a cluster has of the two kinds. */
export interface FlowObjects {
  readonly levels: readonly PriorityLevelConfiguration[]
  readonly schemas: readonly FlowSchema[]
}

/** Makes what is missing, and puts back what its owner has not taken over. */
export async function ensureDefaults(options: UpkeepOptions, present: FlowObjects): Promise<void> {
  await ensure(options, priorityLevelConfiguration, present.levels, { mandatory: MANDATORY_LEVELS, suggested: SUGGESTED_LEVELS })
  await ensure(options, flowSchema, present.schemas, { mandatory: MANDATORY_SCHEMAS, suggested: SUGGESTED_SCHEMAS })
}

type Flowing = KubeObject & { spec: object }
type Wanted = { readonly metadata: { readonly name: string }; readonly spec: object }

async function ensure<T extends Flowing>(
  options: UpkeepOptions,
  kind: Kind<T>,
  present: readonly T[],
  { mandatory, suggested }: { mandatory: readonly Wanted[]; suggested: readonly Wanted[] },
): Promise<void> {
  const byName = new Map(present.map((object) => [object.metadata.name, object]))
  const names = new Set([...mandatory, ...suggested].map(({ metadata }) => metadata.name))
  await mapLimit([...mandatory, ...suggested], AT_ONCE, async (wanted) => {
    const found = byName.get(wanted.metadata.name)
    await settle(found ? () => restore(options, kind, found, wanted, mandatory.includes(wanted)) : () => make(options, kind, wanted))
  })
  // What an earlier version had and this one has no more.
  const obsolete = present.filter(({ metadata }) => !names.has(metadata.name) && metadata.annotations?.[AUTOUPDATE] === 'true')
  for (const { metadata } of obsolete) {
    const { uid, resourceVersion } = metadata
    const preconditions = { uid, ...(resourceVersion ? { resourceVersion } : {}) }
    await settle(async () => void (await options.client.delete(kind, { name: metadata.name }, { preconditions, signal: options.signal })))
  }
}

async function make<T extends Flowing>({ client, signal }: UpkeepOptions, kind: Kind<T>, { metadata, spec }: Wanted): Promise<void> {
  const object = { metadata: { ...metadata, annotations: { [AUTOUPDATE]: 'true' } }, spec }
  await client.create<KubeObject>(kind, object, { signal })
}

async function restore<T extends Flowing>(
  { client, signal }: UpkeepOptions,
  kind: Kind<T>,
  found: T,
  { spec: wanted }: Wanted,
  mandatory: boolean,
): Promise<void> {
  const annotation = found.metadata.annotations?.[AUTOUPDATE]
  // Without a word from the owner: who has changed it keeps it.
  const ours = mandatory || (annotation === undefined ? found.metadata.generation === 1 : annotation === 'true')
  const spec = ours ? specOf(found, wanted) : found.spec
  const marked = annotation === (ours ? 'true' : 'false') || (annotation !== undefined && !mandatory)
  if (marked && semanticEqual(spec, found.spec)) return
  const annotations = marked ? found.metadata.annotations : { ...found.metadata.annotations, [AUTOUPDATE]: String(ours) }
  await client.update(kind, { ...found, metadata: { ...found.metadata, annotations }, spec }, { signal })
}

/** How much the exempt level lends and counts for is its owner's. */
function specOf({ spec }: Flowing, wanted: object): object {
  return 'exempt' in wanted && 'exempt' in spec ? { ...wanted, exempt: spec.exempt } : wanted
}

/** Others may keep the same objects at the same time. */
async function settle(attempt: () => Promise<void>): Promise<void> {
  try {
    await attempt()
  } catch (error) {
    if (!hasReason(error, 'Conflict', 'AlreadyExists', 'NotFound')) throw error
  }
}

/** Writes the condition `Dangling` of those schemas where it says something else. */
export async function sayDangling({ client, clock, signal }: UpkeepOptions, { levels, schemas }: FlowObjects): Promise<void> {
  const names = new Set(levels.map(({ metadata }) => metadata.name))
  await mapLimit(schemas, AT_ONCE, async ({ metadata, spec, status }) => {
    const level = spec.priorityLevelConfiguration.name
    const conditions = setCondition<FlowSchemaCondition & { type: string; status: string }>(
      (status.conditions ?? []) as readonly (FlowSchemaCondition & { type: string; status: string })[],
      danglingOf(level, names.has(level)),
      formatTime(clock.now()),
    )
    if (semanticEqual(conditions, status.conditions ?? [])) return
    const patch = { type: 'merge' as const, body: { metadata: { uid: metadata.uid }, status: { conditions } } }
    const how = { subresource: 'status', fieldManager: MANAGER, signal }
    await settle(async () => void (await client.patch(flowSchema, { name: metadata.name }, patch, how)))
  })
}

function danglingOf(level: string, exists: boolean) {
  const object = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`
  return exists
    ? { type: 'Dangling', status: 'False', reason: 'Found', message: `${object} and it exists` }
    : { type: 'Dangling', status: 'True', reason: 'NotFound', message: `${object} but there is no such object` }
}
