/** Where pods keep what must outlive them. */
import type { PersistentVolume, PersistentVolumeClaim } from '../../../../../electron/api/core/v1/types.gen.ts'
import type { StorageClass } from '../../../../../electron/api/storage/v1/types.gen.ts'
import { t } from '../../../i18n/index.ts'
import { amount, bytes } from '../../../kube/quantity.ts'
import { CLAIMS, STORAGE_CLASSES, VOLUMES } from '../../../kube/resources.ts'
import type { Tone } from '../../../kube/tone.ts'
import { linkTo } from '../../../router/links.ts'
import { ageColumn, nameColumn, namespaceColumn } from '../columns.ts'
import { text, type Cell, type ListColumn, type ListDef } from '../list-def.ts'

const PHASES: Readonly<Record<string, Tone>> = {
  Bound: 'ok',
  Available: 'idle',
  Released: 'warn',
  Lost: 'err',
  Failed: 'err',
  Pending: 'busy',
}
/** As in `kubectl get`: RWO is ReadWriteOnce. */
const MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
}
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class'

const sizeCell = (size: string | undefined): Cell => text(size === undefined ? '' : bytes(amount(size)))
const modesColumn = <T extends { spec: { accessModes?: readonly string[] } }>(): ListColumn<T> => ({
  id: 'modes',
  label: t('column.access'),
  min: 60,
  drop: 7,
  cell: ({ spec }) =>
    text((spec.accessModes ?? []).map((mode) => MODES[mode] ?? mode).join(', '), { title: (spec.accessModes ?? []).join(', ') }),
})
const classColumn = <T extends { spec: { storageClassName?: string } }>(): ListColumn<T> => ({
  id: 'class',
  label: t('column.class'),
  min: 90,
  grow: 0.3,
  drop: 5,
  cell: ({ spec: { storageClassName: name } }) =>
    name ? { type: 'link', text: name, to: linkTo({ resource: STORAGE_CLASSES, name }) } : text(''),
})

const claims: ListDef<PersistentVolumeClaim> = {
  resource: CLAIMS,
  title: 'nav.claims',
  icon: 'claim',
  columns: () => [
    nameColumn(CLAIMS),
    namespaceColumn(),
    {
      id: 'status',
      label: t('column.status'),
      min: 110,
      cell: ({ metadata, status: { phase = 'Pending' } }) =>
        metadata.deletionTimestamp
          ? { type: 'status', tone: 'busy', word: t('workload.deleting') }
          : { type: 'status', tone: PHASES[phase] ?? 'idle', word: phase },
    },
    {
      id: 'size',
      label: t('column.size'),
      min: 70,
      align: 'right',
      cell: ({ spec, status }) => sizeCell(status.capacity?.['storage'] ?? spec.resources.requests?.['storage']),
    },
    modesColumn(),
    classColumn(),
    {
      id: 'volume',
      label: t('column.volume'),
      min: 150,
      grow: 0.8,
      drop: 6,
      cell: ({ spec: { volumeName: name } }) => (name ? { type: 'link', text: name, to: linkTo({ resource: VOLUMES, name }) } : text('')),
    },
    ageColumn(),
  ],
  chips: [{ id: 'waiting', label: 'list.chip.waiting', icon: 'busy' }],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.claims', text: 'list.empty.claimsText' },
}

const volumes: ListDef<PersistentVolume> = {
  resource: VOLUMES,
  title: 'nav.volumes',
  icon: 'volume',
  columns: () => [
    nameColumn(VOLUMES),
    {
      id: 'status',
      label: t('column.status'),
      min: 110,
      cell: ({ status: { phase = 'Pending', message = '' } }) => ({
        type: 'status',
        tone: PHASES[phase] ?? 'idle',
        word: phase,
        title: message,
      }),
    },
    {
      id: 'size',
      label: t('column.size'),
      min: 70,
      align: 'right',
      cell: ({ spec }) => sizeCell(spec.capacity?.['storage']),
    },
    {
      id: 'claim',
      label: t('column.claim'),
      min: 150,
      grow: 0.8,
      cell: ({ spec: { claimRef } }) =>
        claimRef?.name
          ? {
              type: 'link',
              text: `${claimRef.namespace}/${claimRef.name}`,
              to: linkTo({ resource: CLAIMS, namespace: claimRef.namespace, name: claimRef.name }),
            }
          : text(''),
    },
    modesColumn(),
    { id: 'reclaim', label: t('column.reclaim'), min: 70, drop: 6, cell: ({ spec }) => text(spec.persistentVolumeReclaimPolicy) },
    classColumn(),
    ageColumn(),
  ],
  chips: [{ id: 'released', label: 'list.chip.released', icon: 'warn' }],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.volumes', text: 'list.empty.volumesText' },
}

const storageClasses: ListDef<StorageClass> = {
  resource: STORAGE_CLASSES,
  title: 'nav.storageclasses',
  icon: 'storageclass',
  columns: () => [
    nameColumn(STORAGE_CLASSES),
    {
      id: 'default',
      label: t('column.default'),
      min: 70,
      cell: ({ metadata }) => text(metadata.annotations?.[DEFAULT_CLASS] === 'true' ? t('common.yes') : ''),
    },
    { id: 'provisioner', label: t('column.provisioner'), min: 170, grow: 0.8, cell: (c) => text(c.provisioner, { mono: true }) },
    { id: 'reclaim', label: t('column.reclaim'), min: 70, drop: 5, cell: (c) => text(c.reclaimPolicy) },
    { id: 'binding', label: t('column.binding'), min: 160, grow: 0.3, drop: 6, cell: (c) => text(c.volumeBindingMode) },
    { id: 'expansion', label: t('column.expansion'), min: 80, drop: 7, cell: (c) => text(c.allowVolumeExpansion ? t('common.yes') : '') },
    ageColumn(),
  ],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.storageclasses', text: 'list.empty.storageclassesText' },
}

export const STORAGE_LISTS = [claims, volumes, storageClasses] as const
