/** The lists of the kinds that the UI knows. */
import { EVENT_LIST } from './events.ts'
import { ACCESS_LISTS } from './kinds/access.ts'
import { CLUSTER_LISTS } from './kinds/cluster.ts'
import { CONFIG_LISTS } from './kinds/config.ts'
import { JOB_LISTS } from './kinds/jobs.ts'
import { NETWORK_LISTS } from './kinds/network.ts'
import { STORAGE_LISTS } from './kinds/storage.ts'
import { WORKLOAD_LISTS } from './kinds/workloads.ts'
import type { ListDef } from './list-def.ts'

const DEFS: readonly ListDef<never>[] = [
  ...WORKLOAD_LISTS,
  ...JOB_LISTS,
  ...NETWORK_LISTS,
  ...CONFIG_LISTS,
  ...STORAGE_LISTS,
  ...ACCESS_LISTS,
  ...CLUSTER_LISTS,
  EVENT_LIST,
]

export const listDef = (resource: string): ListDef | undefined =>
  (DEFS as readonly unknown[] as readonly ListDef[]).find((def) => def.resource.resource === resource)
