/** Columns that many lists share. */
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'
import { refTo } from '../../actions/questions.ts'
import { t } from '../../i18n/index.ts'
import { shortImage } from '../../kube/images.ts'
import type { Resource } from '../../kube/resources.ts'
import { linkTo } from '../../router/links.ts'
import { text, type ListColumn } from './list-def.ts'

export const nameColumn = <T extends KubeObject>(resource: Resource): ListColumn<T> => ({
  id: 'name',
  label: t('column.name'),
  min: 170,
  grow: 1,
  cell: (row) => ({ type: 'link', text: row.metadata.name, to: linkTo(refTo(resource, row)), strong: true }),
})

export const namespaceColumn = <T extends KubeObject>(): ListColumn<T> => ({
  id: 'ns',
  label: t('column.ns'),
  title: t('column.namespace'),
  min: 84,
  grow: 0.25,
  drop: 3,
  cell: (row) => text(row.metadata.namespace, { title: row.metadata.namespace ?? '' }),
})

export const ageColumn = <T extends KubeObject>(): ListColumn<T> => ({
  id: 'age',
  label: t('column.age'),
  min: 40,
  align: 'right',
  drop: 4,
  cell: (row) => ({ type: 'age', time: row.metadata.creationTimestamp }),
})

/** "app=web,tier=front" */
export const pairs = (labels: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(labels ?? {})
    .map(([key, value]) => (value ? `${key}=${value}` : key))
    .join(',')

interface WithTemplate {
  readonly template: { readonly spec: { readonly containers: readonly { readonly image?: string }[] } }
}

export const imagesOf = (spec: WithTemplate): string[] => spec.template.spec.containers.map((c) => c.image ?? '')

/** What runs in the pods of a template. */
export const imagesColumn = <T extends { spec: WithTemplate }>(): ListColumn<T> => templateImages((row) => row.spec)

/** As `imagesColumn`, of a kind that has its template elsewhere. */
export const templateImages = <T>(of: (row: T) => WithTemplate): ListColumn<T> => ({
  id: 'images',
  label: t('column.images'),
  min: 130,
  grow: 0.7,
  drop: 6,
  cell: (row) => text(imagesOf(of(row)).map(shortImage).join(', '), { title: imagesOf(of(row)).join(', ') }),
})
