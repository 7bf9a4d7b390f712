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
    entries: [
      { id: 'overview', title: 'nav.overview', icon: 'overview', to: { name: 'overview' }, key: 'o' },
      { id: 'machines', title: 'nav.machines', icon: 'machine', to: { name: 'machines' }, key: 'm' },
    ],
  },
  {
    title: 'nav.workloads',
    entries: [
      { id: 'deploy', title: 'nav.deploy', icon: 'deploy', to: { name: 'deploy' }, key: 'n' },
      { id: 'pods', title: 'nav.pods', icon: 'pod', to: { name: 'pods' }, key: 'p' },
      { id: 'deployments', title: 'nav.deployments', icon: 'deployment', to: list('deployments'), key: 'd' },
      { id: 'statefulsets', title: 'nav.statefulsets', icon: 'statefulset', to: list('statefulsets') },
      { id: 'daemonsets', title: 'nav.daemonsets', icon: 'daemonset', to: list('daemonsets') },
      { id: 'replicasets', title: 'nav.replicasets', icon: 'replicaset', to: list('replicasets') },
      { id: 'jobs', title: 'nav.jobs', icon: 'job', to: list('jobs'), key: 'j' },
      { id: 'cronjobs', title: 'nav.cronjobs', icon: 'cronjob', to: list('cronjobs') },
    ],
  },
  {
    title: 'nav.insight',
    entries: [
      { id: 'events', title: 'nav.events', icon: 'event', to: { name: 'events' }, key: 'e' },
      { id: 'logs', title: 'nav.logs', icon: 'logs', to: { name: 'logs' }, key: 'l' },
      { id: 'metrics', title: 'nav.metrics', icon: 'metrics', to: { name: 'metrics' }, key: 'u' },
      { id: 'terminal', title: 'nav.terminal', icon: 'terminal', to: { name: 'terminal' }, key: 't' },
    ],
  },
  {
    title: 'nav.network',
    entries: [
      { id: 'services', title: 'nav.services', icon: 'service', to: list('services'), key: 's' },
      { id: 'ingresses', title: 'nav.ingresses', icon: 'ingress', to: list('ingresses') },
      { id: 'networkpolicies', title: 'nav.networkpolicies', icon: 'policy', to: list('networkpolicies') },
    ],
  },
  {
    title: 'nav.config',
    entries: [
      { id: 'configmaps', title: 'nav.configmaps', icon: 'configmap', to: list('configmaps'), key: 'c' },
      { id: 'secrets', title: 'nav.secrets', icon: 'secret', to: list('secrets') },
      { id: 'horizontalpodautoscalers', title: 'nav.autoscalers', icon: 'autoscaler', to: list('horizontalpodautoscalers') },
      { id: 'poddisruptionbudgets', title: 'nav.budgets', icon: 'budget', to: list('poddisruptionbudgets') },
      { id: 'resourcequotas', title: 'nav.quotas', icon: 'quota', to: list('resourcequotas') },
    ],
  },
  {
    title: 'nav.storage',
    entries: [
      { id: 'persistentvolumeclaims', title: 'nav.claims', icon: 'claim', to: list('persistentvolumeclaims'), key: 'v' },
      { id: 'persistentvolumes', title: 'nav.volumes', icon: 'volume', to: list('persistentvolumes') },
      { id: 'storageclasses', title: 'nav.storageclasses', icon: 'storageclass', to: list('storageclasses') },
    ],
  },
  {
    title: 'nav.access',
    entries: [
      { id: 'serviceaccounts', title: 'nav.serviceaccounts', icon: 'serviceaccount', to: list('serviceaccounts') },
      { id: 'roles', title: 'nav.roles', icon: 'role', to: list('roles') },
      { id: 'clusterroles', title: 'nav.clusterroles', icon: 'role', to: list('clusterroles') },
      { id: 'rolebindings', title: 'nav.rolebindings', icon: 'binding', to: list('rolebindings') },
      { id: 'clusterrolebindings', title: 'nav.clusterrolebindings', icon: 'binding', to: list('clusterrolebindings') },
    ],
  },
  {
    title: 'nav.cluster',
    entries: [
      { id: 'map', title: 'map.title', icon: 'map', to: { name: 'map' } },
      { id: 'helm', title: 'helm.title', icon: 'helm', to: { name: 'helm' }, key: 'h' },
      { id: 'images', title: 'registry.title', icon: 'image', to: { name: 'images' }, key: 'i' },
      { id: 'nodes', title: 'nav.nodes', icon: 'node', to: list('nodes') },
      { id: 'namespaces', title: 'nav.namespaces', icon: 'namespace', to: list('namespaces') },
      { id: 'customresourcedefinitions', title: 'nav.definitions', icon: 'definition', to: list('customresourcedefinitions') },
      { id: 'kinds', title: 'nav.kinds', icon: 'kinds', to: { name: 'kinds' }, key: 'k' },
    ],
  },
]

export const SETTINGS: NavEntry = { id: 'settings', title: 'nav.settings', icon: 'settings', to: { name: 'settings' } }
