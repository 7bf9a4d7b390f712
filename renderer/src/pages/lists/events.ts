import type { Event } from '../../../../electron/api/core/v1/types.gen.ts'
import { count } from '../../i18n/numbers.ts'
import { t } from '../../i18n/index.ts'
import { eventRow } from '../../kube/event-rows.ts'
import { EVENTS } from '../../kube/resources.ts'
import { linkTo } from '../../router/links.ts'
import { text, type ListDef } from './list-def.ts'

/** What happened, newest first. */
export const EVENT_LIST: ListDef<Event> = {
  resource: EVENTS,
  title: 'nav.events',
  icon: 'event',
  columns: () => [
    {
      id: 'last',
      label: t('column.last'),
      min: 44,
      cell: (e) => ({ type: 'age', time: eventRow(e).last }),
    },
    {
      id: 'reason',
      label: t('column.reason'),
      min: 150,
      cell: (e) => ({ type: 'status', tone: eventRow(e).warning ? 'warn' : 'idle', word: e.reason ?? '–' }),
    },
    {
      id: 'object',
      label: t('column.object'),
      min: 180,
      grow: 0.8,
      cell: (e) => {
        const { about } = eventRow(e)
        return { type: 'link', text: t('events.about', { kind: about.kind, name: about.name }), to: about.ref ? linkTo(about.ref) : null }
      },
    },
    {
      id: 'ns',
      label: t('column.ns'),
      title: t('column.namespace'),
      min: 76,
      drop: 5,
      cell: (e) => text(e.metadata.namespace),
    },
    { id: 'message', label: t('column.message'), min: 160, grow: 2, drop: 2, cell: (e) => text(e.message, { title: e.message ?? '' }) },
    {
      id: 'count',
      label: t('column.count'),
      min: 44,
      align: 'right',
      drop: 4,
      cell: (e) => text(count(eventRow(e).count)),
    },
    { id: 'source', label: t('column.source'), min: 110, drop: 6, optional: true, cell: (e) => text(eventRow(e).source) },
  ],
  chips: [{ id: 'warnings', label: 'events.chip.warnings', icon: 'warn' }],
  actions: [],
  empty: { title: 'events.none', text: 'events.noneText' },
  sort: { id: 'last', descending: false },
  open: (e) => {
    const { ref } = eventRow(e).about
    return ref ? linkTo(ref) : null
  },
}
