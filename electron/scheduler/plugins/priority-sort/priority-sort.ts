import { definePlugin } from '../../framework/descriptor.ts'
import type { AnyPlugin } from '../../framework/plugin.ts'

const name = 'PrioritySort'

/** The more important pod first; of two alike the one that waits longer. */
export const prioritySort = definePlugin({
  name,
  defaults: {},
  create: (): AnyPlugin => ({
    name,
    less: (a, b) => (a.info.priority !== b.info.priority ? a.info.priority > b.info.priority : a.timestamp < b.timestamp),
  }),
})
