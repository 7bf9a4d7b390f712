/**
 * What a KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1) says, as far as this scheduler can be told: profiles with their
 * plugins, weights and arguments, and extenders. What cannot be honoured is refused by name. Source: Kubernetes "Scheduler configuration".
 */
import { FlotillaError } from '../../base/errors.ts'
import type { ExtenderConfig, ExtenderTls } from '../extenders/extender.ts'
import type { PluginSettings, ProfileConfig } from '../framework/profile.ts'
import { PLUGINS } from '../plugins/list.ts'

export interface SchedulerConfiguration {
  readonly profiles: readonly ProfileConfig[]
  readonly extenders: readonly ExtenderConfig[]
}

const API_VERSION = 'kubescheduler.config.k8s.io/v1'
/** Times of back-off and of parallel work are fixed here. */
const KNOWN = [
  'apiVersion',
  'kind',
  'profiles',
  'extenders',
  'percentageOfNodesToScore',
  'leaderElection',
  'clientConnection',
  'parallelism',
]
const PROFILE = ['schedulerName', 'percentageOfNodesToScore', 'plugins', 'pluginConfig']
const POINTS = ['multiPoint', 'score']
const EXTENDER = [
  ...['urlPrefix', 'filterVerb', 'prioritizeVerb', 'preemptVerb', 'bindVerb', 'weight', 'enableHTTPS', 'tlsConfig', 'httpTimeout'],
  ...['nodeCacheCapable', 'managedResources', 'ignorable'],
]

type Fields = Readonly<Record<string, unknown>>

/** `document`: as YAML or JSON was read. Throws FlotillaError `INVALID_INPUT`. */
export function schedulerConfiguration(document: unknown): SchedulerConfiguration {
  const root = fieldsOf(document, 'the document', KNOWN)
  if (root['apiVersion'] !== API_VERSION || root['kind'] !== 'KubeSchedulerConfiguration') {
    throw refused(`it is ${String(root['apiVersion'])} ${String(root['kind'])}`, `Write ${API_VERSION} KubeSchedulerConfiguration.`)
  }
  const all = optionalNumber(root['percentageOfNodesToScore'], 'percentageOfNodesToScore')
  const profiles = listOf(root['profiles'], 'profiles').map((each, i) => profileOf(each, `profiles[${i}]`, all))
  const extenders = listOf(root['extenders'], 'extenders').map((each, i) => extenderOf(each, `extenders[${i}]`))
  if (extenders.filter(({ bindVerb }) => bindVerb).length > 1) throw refused('several extenders have a bindVerb', 'Let one of them bind.')
  return { profiles: profiles.length > 0 ? profiles : [{}], extenders }
}

function profileOf(value: unknown, at: string, all: number | undefined): ProfileConfig {
  const { schedulerName, percentageOfNodesToScore, plugins, pluginConfig } = fieldsOf(value, at, PROFILE)
  const settings = new Map<string, PluginSettings>()
  const set = (name: string, more: PluginSettings, where: string) => {
    if (!PLUGINS.some((plugin) => plugin.name === name))
      throw refused(`${where} names ${name}, which there is not`, 'Choose from kube-scheduler’s own plugins.')
    settings.set(name, { ...settings.get(name), ...more })
  }
  const points = fieldsOf(plugins, `${at}.plugins`, POINTS)
  for (const point of POINTS) {
    const where = `${at}.plugins.${point}`
    const { enabled, disabled } = fieldsOf(points[point], where, ['enabled', 'disabled'])
    if (point === 'score' && disabled !== undefined)
      throw refused(`${where}.disabled is not understood`, 'Disable the plugin in multiPoint.')
    for (const one of listOf(disabled, `${where}.disabled`)) {
      const name = textOf(fieldsOf(one, where)['name'], `${where}.disabled.name`)
      for (const plugin of name === '*' ? PLUGINS.map((known) => known.name) : [name]) set(plugin, { disabled: true }, where)
    }
    for (const one of listOf(enabled, `${where}.enabled`)) {
      const { name, weight } = fieldsOf(one, where, ['name', 'weight'])
      const given = optionalNumber(weight, `${where}.enabled.weight`)
      set(textOf(name, `${where}.enabled.name`), { disabled: false, ...(given ? { weight: given } : {}) }, where)
    }
  }
  for (const one of listOf(pluginConfig, `${at}.pluginConfig`)) {
    const { name, args } = fieldsOf(one, `${at}.pluginConfig`, ['name', 'args'])
    const { apiVersion: _, kind: __, ...rest } = fieldsOf(args, `${at}.pluginConfig.args`)
    set(textOf(name, `${at}.pluginConfig.name`), { args: rest }, `${at}.pluginConfig`)
  }
  const percentage = optionalNumber(percentageOfNodesToScore, `${at}.percentageOfNodesToScore`) ?? all
  return {
    ...(schedulerName === undefined ? {} : { schedulerName: textOf(schedulerName, `${at}.schedulerName`) }),
    ...(percentage === undefined ? {} : { percentageOfNodesToScore: percentage }),
    settings: Object.fromEntries(settings),
  }
}

function extenderOf(value: unknown, at: string): ExtenderConfig {
  const { httpTimeout, managedResources, tlsConfig, enableHTTPS, weight, ...rest } = fieldsOf(value, at, EXTENDER)
  const given = textOf(rest['urlPrefix'], `${at}.urlPrefix`).replace(/\/+$/, '')
  const urlPrefix = enableHTTPS === true ? given.replace(/^http:/, 'https:') : given
  if (!URL.canParse(urlPrefix) || !/^https?:$/.test(new URL(urlPrefix).protocol))
    throw refused(`${at}.urlPrefix is ${given}`, 'Write a URL of http or https.')
  const own = optionalNumber(weight, `${at}.weight`)
  if (rest['prioritizeVerb'] && !(own === undefined || (Number.isInteger(own) && own > 0)))
    throw refused(`${at}.weight is ${own}`, 'Write a positive whole number.')
  const verbs = ['filterVerb', 'prioritizeVerb', 'preemptVerb', 'bindVerb'].flatMap((verb) =>
    rest[verb] === undefined ? [] : [[verb, textOf(rest[verb], `${at}.${verb}`).replace(/^\/+/, '')]],
  )
  const managed = listOf(managedResources, `${at}.managedResources`).map((one) => {
    const { name, ignoredByScheduler } = fieldsOf(one, `${at}.managedResources`, ['name', 'ignoredByScheduler'])
    return { name: textOf(name, `${at}.managedResources.name`), ignoredByScheduler: ignoredByScheduler === true }
  })
  return {
    urlPrefix,
    ...(Object.fromEntries(verbs) as Partial<ExtenderConfig>),
    ...(own === undefined ? {} : { weight: own }),
    ...(httpTimeout === undefined ? {} : { timeout: milliseconds(httpTimeout, `${at}.httpTimeout`) }),
    nodeCacheCapable: rest['nodeCacheCapable'] === true,
    ignorable: rest['ignorable'] === true,
    managedResources: managed,
    ...(tlsConfig === undefined ? {} : { tls: tlsOf(tlsConfig, `${at}.tlsConfig`) }),
  }
}

/** Certificates as base64 of PEM, as Go's JSON has bytes. */
function tlsOf(value: unknown, at: string): ExtenderTls {
  const { insecure, serverName, caData, certData, keyData } = fieldsOf(value, at, [
    'insecure',
    'serverName',
    'caData',
    'certData',
    'keyData',
  ])
  const pem = (data: unknown, name: string) => Buffer.from(textOf(data, `${at}.${name}`), 'base64').toString()
  return {
    insecure: insecure === true,
    ...(serverName === undefined ? {} : { serverName: textOf(serverName, `${at}.serverName`) }),
    ...(caData === undefined ? {} : { ca: pem(caData, 'caData') }),
    ...(certData === undefined ? {} : { cert: pem(certData, 'certData') }),
    ...(keyData === undefined ? {} : { key: pem(keyData, 'keyData') }),
  }
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** A duration as Go writes it: "100ms", "1m30s". */
function milliseconds(value: unknown, at: string): number {
  const text = textOf(value, at)
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) throw refused(`${at} is ${text}`, 'Write a duration: "100ms", "5s".')
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ''] ?? 0),
    0,
  )
}

/** With `known`: no other fields than these. Absent: none. */
function fieldsOf(value: unknown, at: string, known?: readonly string[]): Fields {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value))
    throw refused(`${at} is not a mapping`, 'Compare it with Kubernetes’ documentation.')
  const unknown = known && Object.keys(value).find((name) => !known.includes(name))
  if (unknown !== undefined) throw refused(`${at}.${unknown} is not understood`, `Of ${at} these are: ${known?.join(', ')}.`)
  return value as Fields
}

function listOf(value: unknown, at: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw refused(`${at} is not a list`, 'Compare it with Kubernetes’ documentation.')
  return value as unknown[]
}

function textOf(value: unknown, at: string): string {
  if (typeof value !== 'string' || value === '') throw refused(`${at} is not given`, 'Write a text there.')
  return value
}

function optionalNumber(value: unknown, at: string): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number') throw refused(`${at} is not a number`, 'Write a number there.')
  return value
}

function refused(why: string, next: string): FlotillaError {
  return new FlotillaError('INVALID_INPUT', {
    what: 'The scheduler’s configuration cannot be used.',
    why: `${why[0]?.toUpperCase()}${why.slice(1)}.`,
    next,
  })
}
