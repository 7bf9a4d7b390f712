import { createRouter, createWebHashHistory } from 'vue-router'
import type { PlainKey } from '../i18n/index.ts'

declare module 'vue-router' {
  interface RouteMeta {
    /** The page's title in the window's, where the page does not say more itself. */
    readonly title?: PlainKey
    /** Which entry of the sidebar it belongs to. */
    readonly nav?: string
  }
}

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    {
      path: '/',
      name: 'overview',
      component: () => import('../pages/overview/OverviewPage.vue'),
      meta: { title: 'nav.overview', nav: 'overview' },
    },
    {
      path: '/deploy',
      name: 'deploy',
      component: () => import('../pages/deploy/DeployPage.vue'),
      meta: { title: 'nav.deploy', nav: 'deploy' },
    },
    { path: '/pods', name: 'pods', component: () => import('../pages/pods/PodsPage.vue'), meta: { title: 'nav.pods', nav: 'pods' } },
    {
      path: '/pods/:namespace/:name',
      name: 'pod',
      component: () => import('../pages/pod/PodPage.vue'),
      props: true,
      meta: { title: 'nav.pods', nav: 'pods' },
    },
    {
      path: '/machines',
      name: 'machines',
      component: () => import('../pages/machines/MachinesPage.vue'),
      meta: { title: 'nav.machines', nav: 'machines' },
    },
    {
      path: '/machines/:name',
      name: 'machine',
      component: () => import('../pages/machines/MachinePage.vue'),
      props: true,
      meta: { title: 'nav.machines', nav: 'machines' },
    },
    { path: '/create/:group/:resource', name: 'create', component: () => import('../pages/forms/FormPage.vue'), props: true },
    { path: '/list/:resource', name: 'list', component: () => import('../pages/lists/ListPage.vue'), props: true },
    { path: '/kinds', name: 'kinds', component: () => import('../pages/kinds/KindsPage.vue'), meta: { title: 'nav.kinds', nav: 'kinds' } },
    {
      path: '/kinds/:group/:version/:resource',
      name: 'kind',
      component: () => import('../pages/kinds/KindPage.vue'),
      props: true,
      meta: { title: 'nav.kinds', nav: 'kinds' },
    },
    { path: '/map', name: 'map', component: () => import('../pages/map/MapPage.vue'), meta: { title: 'map.title', nav: 'map' } },
    {
      path: '/images',
      name: 'images',
      component: () => import('../pages/registry/ImagesPage.vue'),
      meta: { title: 'registry.title', nav: 'images' },
    },
    { path: '/helm', name: 'helm', component: () => import('../pages/helm/HelmPage.vue'), meta: { title: 'helm.title', nav: 'helm' } },
    {
      path: '/helm/install',
      name: 'helm-install',
      component: () => import('../pages/helm/ChartPage.vue'),
      meta: { title: 'helm.install', nav: 'helm' },
    },
    {
      path: '/helm/releases/:namespace/:name',
      name: 'release',
      component: () => import('../pages/helm/ReleasePage.vue'),
      props: true,
      meta: { title: 'helm.title', nav: 'helm' },
    },
    {
      path: '/helm/releases/:namespace/:name/upgrade',
      name: 'helm-upgrade',
      component: () => import('../pages/helm/ChartPage.vue'),
      props: true,
      meta: { title: 'helm.upgrade', nav: 'helm' },
    },
    {
      path: '/object/:group/:version/:resource/:namespace/:name',
      name: 'object',
      component: () => import('../pages/object/ObjectPage.vue'),
      props: true,
    },
    {
      path: '/metrics',
      name: 'metrics',
      component: () => import('../pages/metrics/MetricsPage.vue'),
      meta: { title: 'nav.metrics', nav: 'metrics' },
    },
    {
      path: '/terminal',
      name: 'terminal',
      component: () => import('../pages/terminal/TerminalPage.vue'),
      meta: { title: 'nav.terminal', nav: 'terminal' },
    },
    {
      path: '/events',
      name: 'events',
      component: () => import('../pages/events/EventsPage.vue'),
      meta: { title: 'nav.events', nav: 'events' },
    },
    { path: '/logs', name: 'logs', component: () => import('../pages/logs/LogsPage.vue'), meta: { title: 'nav.logs', nav: 'logs' } },
    {
      path: '/settings',
      name: 'settings',
      component: () => import('../pages/settings/SettingsPage.vue'),
      meta: { title: 'nav.settings', nav: 'settings' },
    },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
})
