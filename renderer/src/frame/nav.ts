/** The sidebar's entries: only what is there. */
import type { RouteLocationRaw } from 'vue-router'
import type { PlainKey } from '../i18n/index.ts'
import type { IconName } from '../ui/icons.ts'

export interface NavEntry {
  readonly id: string
  readonly title: PlainKey
  readonly icon: IconName
  readonly to: RouteLocationRaw
  /** Pressed after `g`. */
  readonly key?: string
}

export interface NavGroup {
  readonly title?: PlainKey
  readonly entries: readonly NavEntry[]
}

const list = (resource: string): RouteLocationRaw => ({ name: 'list', params: { resource } })

export const NAV: readonly NavGroup[] = [
  {
    entries: [{ id: 'overview', title: 'nav.overview', icon: 'overview', to: { name: 'overview' }, key: 'o' }],
  },
  {
    title: 'nav.workloads',
    entries: [
      { id: 'deploy', title: 'nav.deploy', icon: 'deploy', to: { name: 'deploy' }, key: 'n' },
      { id: 'pods', title: 'nav.pods', icon: 'pod', to: { name: 'pods' }, key: 'p' },
      { id: 'deployments', title: 'nav.deployments', icon: 'deployment', to: list('deployments'), key: 'd' },
      { id: 'replicasets', title: 'nav.replicasets', icon: 'replicaset', to: list('replicasets') },
      { id: 'daemonsets', title: 'nav.daemonsets', icon: 'daemonset', to: list('daemonsets') },
    ],
  },
  { title: 'nav.network', entries: [{ id: 'services', title: 'nav.services', icon: 'service', to: list('services'), key: 's' }] },
  {
    title: 'nav.config',
    entries: [
      { id: 'configmaps', title: 'nav.configmaps', icon: 'configmap', to: list('configmaps'), key: 'c' },
      { id: 'secrets', title: 'nav.secrets', icon: 'secret', to: list('secrets') },
    ],
  },
  {
    title: 'nav.cluster',
    entries: [
      { id: 'machines', title: 'nav.machines', icon: 'machine', to: { name: 'machines' }, key: 'm' },
      { id: 'nodes', title: 'nav.nodes', icon: 'node', to: list('nodes') },
      { id: 'namespaces', title: 'nav.namespaces', icon: 'namespace', to: list('namespaces') },
      { id: 'events', title: 'nav.events', icon: 'event', to: list('events'), key: 'e' },
      { id: 'kinds', title: 'nav.kinds', icon: 'kinds', to: { name: 'kinds' }, key: 'k' },
    ],
  },
]

export const SETTINGS: NavEntry = { id: 'settings', title: 'nav.settings', icon: 'settings', to: { name: 'settings' } }
