/**
 * Lists from the live index beside the plane: it orders, filters, groups and counts; the window holds the rows in view only.
 */
import * as v from 'valibot'
import type { KubeObject } from '../api/meta/v1/object.ts'
import { stream } from './channel.ts'
import type { PodView } from './lists/pod-status.ts'
import type { WorkloadRef } from './lists/owners.ts'
import type { Tone } from './lists/tone.ts'

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))

/** What the list is of; all that is given must hold. */
const where = v.object({
  namespace: v.optional(v.string()),
  /** Pods of a node. */
  node: v.optional(v.string()),
  /** Pods of the owner with this uid, or of what it owns. */
  under: v.optional(v.string()),
  /** Pods that take environment or files from it. */
  uses: v.optional(v.object({ kind: v.picklist(['ConfigMap', 'Secret']), name: v.string() })),
})

/** The largest window, in rows. */
export const WINDOW = 500

const view = v.object({
  where,
  /** The filter as it was typed (`lists/filter.ts`). */
  text: v.string(),
  /** An object must be in one of these chips, if there are any. */
  chips: v.array(v.string()),
  /** Trouble before the order of `sort`. */
  troubleFirst: v.boolean(),
  sort: v.object({ id: v.string(), descending: v.boolean() }),
  /** Rows stand together by this; groups have a line of their own. */
  group: v.optional(v.string()),
  /** Groups whose rows are not shown. */
  folded: v.array(v.string()),
  /** Nothing changes its place: what is new comes last. */
  held: v.boolean(),
  from: whole,
  count: v.pipe(whole, v.maxValue(WINDOW)),
})

const group = v.object({ group: v.string(), n: v.number(), folded: v.boolean() })
const row = v.object({
  object: v.custom<KubeObject>((value) => typeof value === 'object' && value !== null, 'not an object'),
  /** The worst of its pods, if one is in trouble. */
  trouble: v.optional(v.custom<PodView>((value) => typeof value === 'object', 'not a view')),
  /** What the server prints of it, where the UI has no columns of its own. */
  cells: v.optional(v.array(v.nullable(v.union([v.string(), v.number(), v.boolean()])))),
})
const column = v.object({
  name: v.string(),
  type: v.string(),
  format: v.optional(v.string()),
  description: v.optional(v.string()),
  priority: v.optional(v.number()),
})
const rows = v.object({
  type: v.literal('rows'),
  /** Of the view that this answers. */
  seq: v.number(),
  /** How many there are of what the list is of, and how many of them fit the filter. */
  total: v.number(),
  matching: v.number(),
  /** Lines: rows that are not folded away, and groups. */
  lines: v.number(),
  /** How many rows would change place if they might. */
  waiting: v.number(),
  chips: v.record(v.string(), v.number()),
  from: v.number(),
  /** The lines from `from` on: uids, or groups. Absent: as before. */
  order: v.optional(v.array(v.union([v.string(), group]))),
  /** Rows of the window that were not sent before, or have changed. */
  rows: v.array(row),
  /** Uids of objects that have been deleted. */
  gone: v.array(v.string()),
  /** Once, where the UI has no columns of its own. */
  columns: v.optional(v.array(column)),
})

const use = v.object({ node: v.string(), cpu: v.number(), memory: v.number(), pods: v.number() })
const owned = v.object({
  owner: v.custom<WorkloadRef>((value) => typeof value === 'object' && value !== null, 'not a workload'),
  /** How many pods look how. */
  looks: v.array(v.object({ tone: v.custom<Tone>((value) => typeof value === 'string'), word: v.string(), n: v.number() })),
  /** The pod in the worst trouble, if there is one. */
  worst: v.optional(v.custom<KubeObject>((value) => typeof value === 'object', 'not an object')),
})

export const LIST_CHANNELS = {
  /**
   * A list, live. Answers a new view at once, and changes ten times a second at the most, each time only after `more`: a slow window
   * gets fewer and larger changes. `stale` says since when the server could not be followed; `rows` after it means that it can again.
   */
  'lists.rows': stream(
    v.object({ group: v.string(), version: v.string(), resource: v.string(), view }),
    v.variant('type', [
      v.object({ type: v.literal('view'), seq: v.number(), view }),
      v.object({ type: v.literal('more') }),
      /** Rows by uid, or lines from `from` to before `to`: their uids, their addresses, or what rows show. Answered with the same id. */
      v.object({
        type: v.literal('ask'),
        id: v.number(),
        keys: v.optional(v.array(v.string())),
        from: v.optional(whole),
        to: v.optional(whole),
        form: v.picklist(['keys', 'bare', 'rows']),
      }),
    ]),
    v.variant('type', [
      rows,
      v.object({ type: v.literal('stale'), since: v.string(), why: v.string() }),
      v.object({ type: v.literal('answer'), id: v.number(), keys: v.array(v.string()), rows: v.array(row) }),
    ]),
  ),
  /** All pods in numbers, about once a second while they change: by node, and by the workload that made them. */
  'lists.pods': stream(
    v.object({ namespace: v.optional(v.string()) }),
    v.never(),
    v.object({
      /** What pods that hold a place have asked for, in cores and bytes; of all namespaces. */
      nodes: v.array(use),
      /** Pods without a node, of all namespaces. */
      waiting: v.number(),
      /** Of all namespaces. */
      total: v.number(),
      tones: v.object({ total: v.number(), err: v.number(), warn: v.number() }),
      owners: v.array(owned),
    }),
  ),
} as const

export type ListView = v.InferOutput<typeof view>
export type ListWhere = v.InferOutput<typeof where>
export type ListRow = v.InferOutput<typeof row>
export type ListRows = v.InferOutput<typeof rows>
export type ListGroup = v.InferOutput<typeof group>
export type ListColumnSpec = v.InferOutput<typeof column>
