/**
 * AdmissionConfiguration (apiserver.config.k8s.io/v1): what plugins are to know. Source: apiserver `apis/apiserver`, `admission/config.go`.
 */
import { duplicate, forbidden, notSupported, required, type FieldError } from '../../api/values/field-error.ts'
import { Fields } from '../authn/config/fields.ts'
import { podSecurityConfiguration, type PodSecurityConfiguration } from './pod-security/configuration.ts'

/** For `PluginOptions`. */
export interface AdmissionConfiguration {
  readonly podSecurity?: PodSecurityConfiguration
}

const VERSIONS = ['apiserver.config.k8s.io/v1', 'apiserver.config.k8s.io/v1alpha1', 'apiserver.k8s.io/v1alpha1']
const KIND = 'AdmissionConfiguration'
/** Plugins with a configuration. */
const PLUGINS = ['PodSecurity']

/**
 * `document`: as YAML or JSON was read. `readAt` gives the document in the file that a plugin's `path` names; it may throw. What is said
 * is only of use if there are no errors.
 */
export async function admissionConfiguration(
  document: unknown,
  readAt: (path: string) => Promise<unknown>,
): Promise<{ configuration: AdmissionConfiguration; errors: readonly FieldError[] }> {
  const errors: FieldError[] = []
  const top = new Fields(document, '', errors, ['apiVersion', 'kind', 'plugins'])
  const version = top.needText('apiVersion')
  if (version && !VERSIONS.includes(version)) errors.push(notSupported('apiVersion', version, VERSIONS))
  const kind = top.needText('kind')
  if (kind && kind !== KIND) errors.push(notSupported('kind', kind, [KIND]))

  let configuration: AdmissionConfiguration = {}
  for (const plugin of top.parts('plugins', ['name', 'path', 'configuration'])) {
    const name = plugin.needText('name')
    if (name && !PLUGINS.includes(name)) errors.push(notSupported(plugin.path('name'), name, PLUGINS))
    if (name !== 'PodSecurity') continue
    if (configuration.podSecurity) errors.push(duplicate(plugin.path('name'), name))
    const path = plugin.text('path')
    if (path && plugin.has('configuration')) errors.push(forbidden(plugin.path('path'), 'may not be given with a configuration'))
    if (!path && !plugin.has('configuration')) errors.push(required(plugin.path('configuration')))
    if (!path && !plugin.has('configuration')) continue
    const inner = path ? await readAt(path) : plugin.raw('configuration')
    configuration = { podSecurity: podSecurityConfiguration(inner, plugin.path(path ? 'path' : 'configuration'), errors) }
  }
  return { configuration, errors }
}
