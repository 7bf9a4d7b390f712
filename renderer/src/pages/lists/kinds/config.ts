/** Settings of pods, and limits on them. */
import type { HorizontalPodAutoscaler, MetricStatus } from '../../../../../electron/api/autoscaling/v2/types.gen.ts'
import type { ConfigMap, ResourceQuota, Secret } from '../../../../../electron/api/core/v1/types.gen.ts'
import type { PodDisruptionBudget } from '../../../../../electron/api/policy/v1/types.gen.ts'
import { dataSizes, totalSize } from '../../../../../electron/contracts/lists/data.ts'
import { t } from '../../../i18n/index.ts'
import { ownerAddress } from '../../../kube/owners.ts'
import { amount, bytes, percent } from '../../../kube/quantity.ts'
import { AUTOSCALERS, CONFIG_MAPS, DISRUPTION_BUDGETS, QUOTAS, SECRETS } from '../../../kube/resources.ts'
import { linkTo } from '../../../router/links.ts'
import { ageColumn, nameColumn, namespaceColumn, pairs } from '../columns.ts'
import { text, type Cell, type ListDef } from '../list-def.ts'

const configMaps: ListDef<ConfigMap> = {
  resource: CONFIG_MAPS,
  title: 'nav.configmaps',
  icon: 'configmap',
  columns: () => [
    nameColumn(CONFIG_MAPS),
    namespaceColumn(),
    {
      id: 'keys',
      label: t('column.keys'),
      min: 160,
      grow: 1,
      drop: 5,
      cell: (c) => text(Object.keys(dataSizes(c)).join(', ')),
    },
    {
      id: 'size',
      label: t('column.size'),
      min: 60,
      align: 'right',
      drop: 6,
      cell: (c) => text(bytes(totalSize(c))),
    },
    ageColumn(),
  ],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.configmaps', text: 'list.empty.configmapsText' },
}

const secrets: ListDef<Secret> = {
  resource: SECRETS,
  title: 'nav.secrets',
  icon: 'secret',
  columns: () => [
    nameColumn(SECRETS),
    namespaceColumn(),
    { id: 'type', label: t('column.type'), min: 150, grow: 0.5, drop: 4, cell: (s) => text(s.type) },
    { id: 'keys', label: t('column.keys'), min: 140, grow: 0.8, drop: 5, cell: (s) => text(Object.keys(dataSizes(s)).join(', ')) },
    ageColumn(),
  ],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.secrets', text: 'list.empty.secretsText' },
}

/** A metric's present value, of the kind that its target has. */
function present(status: MetricStatus | undefined): string {
  const found = status?.resource ?? status?.containerResource ?? status?.pods ?? status?.object ?? status?.external
  const { averageUtilization, averageValue, value } = found?.current ?? {}
  return averageUtilization === undefined ? (averageValue ?? value ?? '?') : `${averageUtilization}%`
}

/** "cpu 34% of 80%" */
function metricsOf({ spec, status }: HorizontalPodAutoscaler): string {
  return (spec.metrics ?? [])
    .map((metric, index) => {
      const source = metric.resource ?? metric.containerResource ?? metric.pods ?? metric.object ?? metric.external
      const name =
        metric.resource?.name ?? metric.containerResource?.name ?? (metric.pods ?? metric.object ?? metric.external)?.metric.name ?? ''
      const { averageUtilization, averageValue, value } = source?.target ?? {}
      const target = averageUtilization === undefined ? (averageValue ?? value ?? '?') : `${averageUtilization}%`
      return t('autoscaler.metric', { name, now: present(status?.currentMetrics?.[index]), target })
    })
    .join(', ')
}

function autoscalerStatus({ status }: HorizontalPodAutoscaler): Cell {
  const failed = status?.conditions?.find((c) => (c.type === 'AbleToScale' || c.type === 'ScalingActive') && c.status === 'False')
  if (failed) return { type: 'status', tone: 'warn', word: failed.reason ?? failed.type, title: failed.message ?? '' }
  const limited = status?.conditions?.find((c) => c.type === 'ScalingLimited' && c.status === 'True')
  if (limited) return { type: 'status', tone: 'idle', word: t('autoscaler.limited'), title: limited.message ?? '' }
  if (!status?.conditions?.length) return { type: 'status', tone: 'busy', word: t('autoscaler.starting') }
  return { type: 'status', tone: 'ok', word: t('autoscaler.active') }
}

const autoscalers: ListDef<HorizontalPodAutoscaler> = {
  resource: AUTOSCALERS,
  title: 'nav.autoscalers',
  icon: 'autoscaler',
  columns: () => [
    nameColumn(AUTOSCALERS),
    namespaceColumn(),
    {
      id: 'target',
      label: t('column.target'),
      min: 150,
      grow: 0.5,
      cell: ({ metadata, spec }) => {
        const { apiVersion = '', kind, name } = spec.scaleTargetRef
        const to = ownerAddress({ apiVersion, kind, name, uid: '' }, metadata.namespace)
        return { type: 'link', text: `${kind} ${name}`, to: to && linkTo(to) }
      },
    },
    { id: 'status', label: t('column.status'), min: 120, cell: autoscalerStatus },
    { id: 'metrics', label: t('nav.metrics'), min: 130, grow: 0.6, drop: 5, cell: (h) => text(metricsOf(h), { title: metricsOf(h) }) },
    {
      id: 'replicas',
      label: t('column.replicas'),
      min: 90,
      drop: 4,
      cell: ({ spec, status }) =>
        text(t('autoscaler.range', { n: status?.currentReplicas ?? 0, min: spec.minReplicas ?? 1, max: spec.maxReplicas })),
    },
    ageColumn(),
  ],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.autoscalers', text: 'list.empty.autoscalersText' },
}

const budgets: ListDef<PodDisruptionBudget> = {
  resource: DISRUPTION_BUDGETS,
  title: 'nav.budgets',
  icon: 'budget',
  columns: () => [
    nameColumn(DISRUPTION_BUDGETS),
    namespaceColumn(),
    {
      id: 'rule',
      label: t('column.rule'),
      min: 130,
      grow: 0.3,
      cell: ({ spec }) =>
        text(
          spec.minAvailable === undefined
            ? t('budget.maxUnavailable', { n: spec.maxUnavailable ?? '' })
            : t('budget.minAvailable', { n: spec.minAvailable }),
        ),
    },
    {
      id: 'allowed',
      label: t('column.allowed'),
      min: 120,
      cell: ({ status }) =>
        status?.disruptionsAllowed
          ? { type: 'status', tone: 'ok', word: t('budget.allowed', { n: status.disruptionsAllowed }) }
          : { type: 'status', tone: status?.expectedPods ? 'warn' : 'idle', word: t('budget.none') },
    },
    {
      id: 'healthy',
      label: t('column.healthy'),
      min: 70,
      drop: 6,
      cell: ({ status }) => text(`${status?.currentHealthy ?? 0}/${status?.desiredHealthy ?? 0}`),
    },
    {
      id: 'selector',
      label: t('column.selector'),
      min: 130,
      grow: 0.6,
      drop: 7,
      cell: ({ spec }) => text(pairs(spec.selector?.matchLabels)),
    },
    ageColumn(),
  ],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.budgets', text: 'list.empty.budgetsText' },
}

/** What is used the most of what is allowed. */
function tightest({ status }: ResourceQuota): { name: string; share: number } | null {
  const shares = Object.entries(status?.hard ?? {}).map(([name, hard]) => ({
    name,
    share: percent(amount(status?.used?.[name]), amount(hard)),
  }))
  return shares.toSorted((a, b) => b.share - a.share)[0] ?? null
}

const quotas: ListDef<ResourceQuota> = {
  resource: QUOTAS,
  title: 'nav.quotas',
  icon: 'quota',
  columns: () => [
    nameColumn(QUOTAS),
    namespaceColumn(),
    {
      id: 'tightest',
      label: t('column.tightest'),
      min: 170,
      cell: (q) => {
        const most = tightest(q)
        if (!most) return text('')
        const tone = most.share >= 100 ? 'err' : most.share >= 80 ? 'warn' : 'ok'
        return { type: 'status', tone, word: t('quota.share', { name: most.name, share: most.share }) }
      },
    },
    {
      id: 'used',
      label: t('column.used'),
      min: 200,
      grow: 1.4,
      drop: 5,
      cell: ({ status }) =>
        text(
          Object.entries(status?.hard ?? {})
            .map(([name, hard]) => `${name} ${status?.used?.[name] ?? 0}/${hard}`)
            .join(', '),
        ),
    },
    ageColumn(),
  ],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.quotas', text: 'list.empty.quotasText' },
}

export const CONFIG_LISTS = [configMaps, secrets, autoscalers, budgets, quotas] as const
