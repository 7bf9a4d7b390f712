/** Which plugins place the pods of one scheduler name, and how. */
import type { PluginDescriptor } from './descriptor.ts'

export const DEFAULT_SCHEDULER_NAME = 'default-scheduler'

export interface ProfileConfig {
  /** Pods with this `spec.schedulerName` are placed by this profile. Default "default-scheduler". */
  readonly schedulerName?: string
  /** Of the nodes, so many are searched for ones that fit before the best is taken. 0 (default): fewer, the more nodes there are. */
  readonly percentageOfNodesToScore?: number
  /** In the order in which they are asked. Default: kube-scheduler's. */
  readonly plugins?: readonly PluginDescriptor[]
  /** By the plugin's name. */
  readonly settings?: Readonly<Record<string, PluginSettings>>
}

export interface PluginSettings {
  readonly disabled?: boolean
  readonly weight?: number
  /** Replace those of the same name in the plugin's defaults. */
  readonly args?: Readonly<Record<string, unknown>>
}

export interface Profile {
  readonly schedulerName: string
  readonly percentageOfNodesToScore: number
  readonly plugins: readonly { readonly descriptor: PluginDescriptor; readonly weight: number; readonly args: object }[]
}

/** Throws for settings of a plugin that is not there, and for a percentage or weight that cannot be. */
export function resolveProfile(config: ProfileConfig, defaults: readonly PluginDescriptor[]): Profile {
  const { schedulerName = DEFAULT_SCHEDULER_NAME, percentageOfNodesToScore = 0, plugins = defaults, settings = {} } = config
  const fault = (why: string) => new Error(`the profile ${JSON.stringify(schedulerName)}: ${why}`)
  for (const name of Object.keys(settings)) {
    if (!plugins.some((descriptor) => descriptor.name === name)) throw fault(`there is no plugin ${JSON.stringify(name)}`)
  }
  if (!(percentageOfNodesToScore >= 0 && percentageOfNodesToScore <= 100)) throw fault('percentageOfNodesToScore must be from 0 to 100')
  return {
    schedulerName,
    percentageOfNodesToScore,
    plugins: plugins.flatMap((descriptor) => {
      const { disabled = false, weight = descriptor.weight ?? 1, args = {} } = settings[descriptor.name] ?? {}
      if (!(Number.isInteger(weight) && weight > 0)) throw fault(`the weight of ${descriptor.name} must be a positive whole number`)
      return disabled ? [] : [{ descriptor, weight, args: { ...descriptor.defaults, ...args } }]
    }),
  }
}
