/** Every page, in both themes: no violation of WCAG that axe finds, none of the page's policy, nothing beyond the window's edge. */
import axe from 'axe-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { POD } from './fake/cluster.ts'
import { HOSTS } from './fake/machines.ts'
import { closeBrowser, openApp, settled, type Opened } from './browser.ts'
import { OVERFLOW } from './overflow.ts'

interface View {
  readonly name: string
  readonly path: string
  /** Something that is there when the page is. */
  readonly shows: string
  readonly then?: (opened: Opened) => Promise<void>
  /** What floats over a page that is out of reach meanwhile is looked at alone. */
  readonly within?: string
}

async function connect({ page }: Opened, host: string): Promise<void> {
  await page.keyboard.press('a')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Host').fill(host)
  await dialog.getByLabel('User').fill('mira')
  await dialog.getByLabel('Node name').fill('tender')
  await page.keyboard.press('Enter')
}

const VIEWS: readonly View[] = [
  { name: 'overview', path: '/', shows: 'Needs you' },
  { name: 'pods', path: '/pods', shows: 'OOMKilled' },
  {
    name: 'pods with a panel and a selection',
    path: '/pods',
    shows: 'OOMKilled',
    async then({ page }) {
      await page.keyboard.press('j')
      await page.keyboard.press('x')
      await page.keyboard.press(' ')
      await page.getByText('hit its memory limit').waitFor()
    },
  },
  { name: 'deployments', path: '/list/deployments', shows: 'checkout' },
  { name: 'replica sets', path: '/list/replicasets', shows: 'checkout-' },
  { name: 'daemon sets', path: '/list/daemonsets', shows: 'node-logs' },
  { name: 'services', path: '/list/services', shows: 'postgres' },
  { name: 'config maps', path: '/list/configmaps', shows: 'flags' },
  { name: 'secrets', path: '/list/secrets', shows: 'shop-db' },
  { name: 'namespaces', path: '/list/namespaces', shows: 'kube-system' },
  { name: 'nodes', path: '/list/nodes', shows: 'ketch' },
  { name: 'events', path: '/list/events', shows: 'Warnings' },
  { name: 'events by what broke', path: '/events', shows: 'What broke' },
  { name: 'logs of a workload', path: '/logs?workload=deployment/shop/web', shows: 'POST /cart' },
  { name: 'no logs chosen', path: '/logs', shows: 'Whose logs?' },
  { name: 'figures', path: '/metrics', shows: 'Who uses most' },
  { name: 'terminals', path: '/terminal', shows: 'No terminal is open' },
  { name: 'stateful sets', path: '/list/statefulsets', shows: 'ledger' },
  { name: 'jobs', path: '/list/jobs', shows: 'import-orders' },
  { name: 'cron jobs', path: '/list/cronjobs', shows: 'nightly-report' },
  { name: 'ingresses', path: '/list/ingresses', shows: 'shop.example.com' },
  { name: 'network policies', path: '/list/networkpolicies', shows: 'only-web-to-api' },
  { name: 'endpoint slices', path: '/list/endpointslices', shows: 'web-' },
  { name: 'autoscalers', path: '/list/horizontalpodautoscalers', shows: 'Deployment api' },
  { name: 'disruption budgets', path: '/list/poddisruptionbudgets', shows: 'at least 2 up' },
  { name: 'quotas', path: '/list/resourcequotas', shows: 'lab' },
  { name: 'claims', path: '/list/persistentvolumeclaims', shows: 'data-ledger-0' },
  { name: 'volumes', path: '/list/persistentvolumes', shows: 'pv-ledger-0' },
  { name: 'storage classes', path: '/list/storageclasses', shows: 'infra.flotilla.dev/local' },
  { name: 'service accounts', path: '/list/serviceaccounts', shows: 'deployer' },
  { name: 'roles', path: '/list/roles', shows: 'deployer' },
  { name: 'cluster roles', path: '/list/clusterroles', shows: 'log-reader' },
  { name: 'role bindings', path: '/list/rolebindings', shows: 'shop/deployer' },
  { name: 'cluster role bindings', path: '/list/clusterrolebindings', shows: 'Group readers' },
  { name: 'custom resources', path: '/list/customresourcedefinitions', shows: 'Berth' },
  { name: 'all kinds', path: '/kinds', shows: 'ServiceAccount' },
  { name: 'a kind without a page of its own', path: '/kinds/apps/v1/controllerrevisions', shows: 'No ControllerRevision yet' },
  { name: 'machines', path: '/machines', shows: 'ketch' },
  { name: 'a machine', path: '/machines/skiff', shows: 'containerd://1.6.20' },
  { name: 'a machine’s pods', path: '/machines/skiff?tab=pods', shows: 'node-logs' },
  { name: 'a deployment', path: '/object/apps/v1/deployments/shop/checkout', shows: 'Each pod' },
  { name: 'its revisions', path: '/object/apps/v1/deployments/shop/web?tab=revisions', shows: 'Revision 1' },
  { name: 'a service', path: '/object/core/v1/services/shop/web', shows: 'Node port' },
  { name: 'a config map', path: '/object/core/v1/configmaps/shop/flags', shows: 'newFlow' },
  { name: 'a secret', path: '/object/core/v1/secrets/shop/shop-db', shows: 'Used by' },
  { name: 'a stateful set', path: '/object/apps/v1/statefulsets/data/ledger', shows: 'Rollout' },
  { name: 'a job', path: '/object/batch/v1/jobs/shop/import-orders', shows: 'Progress' },
  { name: 'a cron job', path: '/object/batch/v1/cronjobs/shop/nightly-report', shows: 'nightly-report-29384' },
  { name: 'an autoscaler', path: '/object/autoscaling/v2/horizontalpodautoscalers/shop/api', shows: 'Deployment api' },
  { name: 'a claim', path: '/object/core/v1/persistentvolumeclaims/data/data-ledger-0', shows: 'pv-ledger-0' },
  { name: 'a namespace', path: '/object/core/v1/namespaces/-/shop', shows: 'counted by the API server' },
  { name: 'YAML', path: '/object/core/v1/configmaps/shop/flags?tab=yaml', shows: 'resourceVersion' },
  { name: 'deploy', path: '/deploy', shows: 'There is room' },
  { name: 'Helm releases', path: '/helm', shows: 'Deployed' },
  { name: 'a Helm release', path: '/helm/releases/shop/web', shows: 'answers at' },
  { name: 'its values', path: '/helm/releases/shop/web?tab=values', shows: 'servus' },
  { name: 'its resources', path: '/helm/releases/shop/web?tab=resources', shows: 'Missing' },
  { name: 'its history', path: '/helm/releases/shop/web?tab=history', shows: 'Compared with' },
  { name: 'an upgrade', path: '/helm/releases/shop/web/upgrade', shows: 'Fits the chart' },
  { name: 'a chart to install', path: '/helm/install', shows: 'Choose a chart' },
  { name: 'the map', path: '/map', shows: 'postgres' },
  { name: 'images', path: '/images', shows: 'busybox' },
  { name: 'settings', path: '/settings', shows: 'State folder' },
  { name: 'an object that is not there', path: '/object/core/v1/configmaps/shop/nothing', shows: 'is not there' },
  {
    name: 'a pod',
    path: '/pods',
    shows: 'OOMKilled',
    async then({ page }) {
      await page.keyboard.press('j')
      await page.keyboard.press('Enter')
      await page.getByText('4 runs').waitFor()
      await page.getByRole('log').getByText('POST /cart').first().waitFor()
    },
  },
  {
    name: 'a pod’s log and a terminal',
    path: '/pods',
    shows: 'OOMKilled',
    async then({ page }) {
      await page.keyboard.press('j')
      await page.keyboard.press('l')
      await page.getByRole('log').getByText('POST /cart').first().waitFor()
      await page.keyboard.press('s')
      await page.locator('.xterm-rows').getByText('$').first().waitFor()
    },
  },
  {
    name: 'the palette',
    path: '/',
    shows: 'Needs you',
    async then({ page }) {
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox').fill('web')
    },
  },
  {
    name: 'the list of keys',
    path: '/pods',
    shows: 'OOMKilled',
    async then({ page }) {
      await page.keyboard.press('?')
      await page.getByRole('dialog').getByText('Go to Overview').waitFor()
    },
  },
  {
    name: 'adding a machine',
    path: '/machines',
    shows: 'Connected',
    async then({ page }) {
      await page.keyboard.press('a')
      await page.getByText('You confirm the host').waitFor()
    },
  },
  {
    name: 'a key to confirm',
    path: '/machines',
    shows: 'Connected',
    async then(opened) {
      await connect(opened, HOSTS.stopsAtJoin)
      await opened.page.getByText('Is this the key of').waitFor()
    },
  },
  {
    name: 'a preflight with something in the way',
    path: '/machines',
    shows: 'Connected',
    async then(opened) {
      await connect(opened, HOSTS.fullDisk)
      await opened.page.getByRole('button', { name: 'Yes, it is mine' }).click()
      await opened.page.getByText('0.2 Gi free on /var').waitFor()
    },
  },
  {
    name: 'a key that changed',
    path: '/machines',
    shows: 'Connected',
    async then(opened) {
      await connect(opened, HOSTS.changedKey)
      await opened.page.getByText('SHA256:oldold').waitFor()
    },
  },
  {
    name: 'a menu',
    within: '[role=menu]',
    path: '/object/apps/v1/deployments/shop/api',
    shows: 'Each pod',
    async then({ page }) {
      await page.getByRole('button', { name: 'More actions' }).click()
      await page.getByRole('menuitem', { name: 'Roll back…' }).waitFor()
    },
  },
  {
    name: 'the list of namespaces',
    within: '[role=listbox]',
    path: '/pods',
    shows: 'OOMKilled',
    async then({ page }) {
      await page.getByRole('combobox', { name: 'Namespace' }).click()
      await page.getByRole('option', { name: 'kube-system' }).waitFor()
    },
  },
  {
    name: 'a question for a number',
    path: '/object/apps/v1/deployments/shop/api',
    shows: 'Each pod',
    async then({ page }) {
      await page.getByRole('button', { name: 'Scale' }).click()
      await page.getByRole('dialog').getByRole('spinbutton').waitFor()
    },
  },
  {
    name: 'a question for an image',
    path: '/object/apps/v1/deployments/shop/api',
    shows: 'Each pod',
    async then({ page }) {
      await page.getByRole('button', { name: 'More actions' }).click()
      await page.getByRole('menuitem', { name: 'Change image…' }).click()
      await page.getByRole('dialog').getByRole('textbox').fill('Not An Image')
      await page.getByText('Not a name of an image').waitFor()
    },
  },
  {
    name: 'draining',
    path: '/machines/skiff',
    shows: 'containerd://1.6.20',
    async then({ page }) {
      await page.getByRole('button', { name: 'Drain' }).click()
      await page.getByText('takes no new pods').waitFor()
    },
  },
  {
    name: 'a delete question',
    path: '/list/deployments',
    shows: 'checkout',
    async then({ page }) {
      await page.keyboard.press('j')
      await page.keyboard.press('Delete')
      await page.getByText('go with it').waitFor()
    },
  },
]

const EMPTY: readonly View[] = [
  { name: 'the first run', path: '/', shows: 'A machine over SSH' },
  { name: 'no pods', path: '/pods', shows: 'No pods yet' },
  { name: 'no deployments', path: '/list/deployments', shows: 'No ' },
  { name: 'no machines', path: '/machines', shows: 'No machines yet' },
  { name: 'a deployment without machines', path: '/deploy', shows: 'No machine takes pods.' },
]

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

async function violations({ page }: Opened, within?: string): Promise<string[]> {
  await page.evaluate(axe.source)
  const found = await page.evaluate<readonly Violation[]>(
    `axe.run(${within ? JSON.stringify(within) : 'document'}, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then((r) => r.violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html, failureSummary }) => ({ html, failureSummary })) })))`,
  )
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 240)}\n${failureSummary ?? ''}`))
}

async function show(opened: Opened, view: View): Promise<void> {
  const { page } = opened
  await page.keyboard.press('Escape')
  await opened.go('/settings')
  await opened.go(view.path)
  await page.getByText(view.shows).first().waitFor()
  await view.then?.(opened)
}
async function leave({ page }: Opened): Promise<void> {
  const close = page.getByRole('button', { name: /^Close / })
  while (await close.count()) await close.first().click()
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
}

for (const theme of ['light', 'dark'] as const) {
  describe(`in the ${theme} theme`, () => {
    let opened: Opened
    beforeAll(async () => {
      opened = await openApp({ theme })
      await settled(opened)
    })
    afterAll(async () => {
      await opened[Symbol.asyncDispose]()
      await closeBrowser()
    })
    it.each(VIEWS.map((view) => [view.name, view] as const))('%s has nothing that axe objects to', async (_name, view) => {
      await show(opened, view)
      expect(await violations(opened, view.within)).toEqual([])
      await leave(opened)
    })
    it('an empty cluster has nothing that axe objects to', async () => {
      await using empty = await openApp({ theme, empty: true })
      for (const view of EMPTY) {
        await show(empty, view)
        expect(await violations(empty), view.name).toEqual([])
      }
      expect(empty.errors).toEqual([])
    })
    it('broke no rule of the page’s policy, and threw nothing', () => {
      expect(opened.errors).toEqual([])
    })
  })
}

describe.each([
  [1000, 700],
  [390, 800],
])('in a window %d pixels wide', (width, height) => {
  let opened: Opened
  beforeAll(async () => {
    opened = await openApp({ width, height })
    await opened.page.getByText('OOMKilled').first().waitFor()
  })
  afterAll(async () => {
    await opened[Symbol.asyncDispose]()
    await closeBrowser()
  })
  it('a pod does not reach beyond its edge, and covers nothing of itself', async () => {
    const { items } = await opened.app.cluster.client.list(POD, { namespace: 'shop', labelSelector: 'app=checkout' })
    await opened.go(`/pods/shop/${items[0]?.metadata.name ?? ''}`)
    await opened.page.getByRole('log').getByText('POST /cart').first().waitFor({ state: 'attached' })
    expect(await opened.page.evaluate(OVERFLOW)).toEqual([])
  })
  it.each(VIEWS.filter((view) => !view.then).map((view) => [view.name, view] as const))(
    '%s does not reach beyond its edge',
    async (_name, view) => {
      await opened.go(view.path)
      await opened.page.getByText(view.shows).first().waitFor({ state: 'attached' })
      expect(await opened.page.evaluate(OVERFLOW)).toEqual([])
    },
  )
})
