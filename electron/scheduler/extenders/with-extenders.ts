import type { Profile } from '../framework/profile.ts'
import type { NodeResourcesFitArgs } from '../plugins/node-resources-fit/node-resources-fit.ts'
import type { Extender } from './extender.ts'
import { advisers, binders } from './plugins.ts'

const FIT = 'NodeResourcesFit'

/** The profile with its extenders among the plugins; resources that they alone look after are nothing to the others. */
export function withExtenders(profile: Profile, extenders: readonly Extender[]): Profile {
  if (extenders.length === 0) return profile
  const managed = extenders.flatMap(({ config }) => config.managedResources ?? [])
  const ignored = managed.filter(({ ignoredByScheduler }) => ignoredByScheduler).map(({ name }) => name)
  const own = profile.plugins.map((plugin) => {
    if (plugin.descriptor.name !== FIT || ignored.length === 0) return plugin
    const { ignoredResources, ...rest } = plugin.args as NodeResourcesFitArgs
    return { ...plugin, args: { ...rest, ignoredResources: [...ignoredResources, ...ignored] } }
  })
  const resolved = (plugins: ReturnType<typeof binders>) =>
    plugins.map((descriptor) => ({ descriptor, weight: descriptor.weight ?? 1, args: descriptor.defaults }))
  return { ...profile, plugins: [...resolved(binders(extenders)), ...own, ...resolved(advisers(extenders))] }
}
