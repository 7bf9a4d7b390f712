/** Extenders as plugins of a profile: they say what the advice for the pod says, and bind. */
import { definePlugin, type PluginDescriptor } from '../framework/descriptor.ts'
import { EVERYTHING } from '../framework/events.ts'
import type { AnyPlugin } from '../framework/plugin.ts'
import { SKIP, unschedulable } from '../framework/status.ts'
import { ADVICE } from './advice.ts'
import type { Extender } from './extender.ts'

/** The one through which all of them filter. */
const FILTER = 'Extenders'

/** Before the profile's own: who binds instead of it. */
export function binders(extenders: readonly Extender[]): PluginDescriptor[] {
  return extenders
    .filter(({ config }) => config.bindVerb)
    .map((extender) =>
      definePlugin({
        name: `${extender.name} (bind)`,
        defaults: {},
        create: (): AnyPlugin => ({
          name: `${extender.name} (bind)`,
          async bind(_cycle, { pod }, node, signal) {
            if (!extender.isInterested(pod)) return SKIP
            await extender.bind(pod, node, signal)
            return null
          },
        }),
      }),
    )
}

/** After the profile's own. */
export function advisers(extenders: readonly Extender[]): PluginDescriptor[] {
  if (extenders.length === 0) return []
  const filter = definePlugin({
    name: FILTER,
    defaults: {},
    create: (): AnyPlugin => ({
      name: FILTER,
      // What lets an extender agree is known to nobody else.
      events: [{ event: EVERYTHING }],
      asIs: true,
      // Where nodes are left, the search keeps to those that were asked about; else all count, for preemption.
      preFilter({ state }) {
        const advice = state.find(ADVICE)
        if (!advice) return SKIP
        const asked = new Set(advice.verdicts.keys())
        return [...advice.verdicts.values()].includes(null) ? { nodes: asked } : null
      },
      filter({ state }, _pod, { name }) {
        const verdict = state.read(ADVICE).verdicts.get(name)
        if (verdict === undefined) return unschedulable(FILTER, ['the extenders were not asked about the node yet'])
        return verdict && { ...verdict, plugin: FILTER }
      },
    }),
  })
  const scorers = extenders
    .filter(({ config }) => config.prioritizeVerb)
    .map((extender) =>
      definePlugin({
        name: extender.name,
        weight: extender.config.weight ?? 1,
        defaults: {},
        create: (): AnyPlugin => ({
          name: extender.name,
          preScore: ({ state }) => (state.find(ADVICE)?.scores.has(extender) ? null : SKIP),
          score: ({ state }, _pod, { name }) => state.read(ADVICE).scores.get(extender)?.get(name) ?? 0,
        }),
      }),
    )
  return [filter, ...scorers]
}
