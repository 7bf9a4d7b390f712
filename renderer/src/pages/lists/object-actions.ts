/** What can be done with an object of any kind, as menu entries and as functions. */
import { useRouter } from 'vue-router'
import type { Deployment } from '../../../../electron/api/apps/v1/types.gen.ts'
import type { CronJob, Job } from '../../../../electron/api/batch/v1/types.gen.ts'
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'
import { runNow, setSuspended } from '../../actions/jobs.ts'
import { deleteQuestion, podsAround, refTo } from '../../actions/questions.ts'
import { restart, setPaused } from '../../actions/workloads.ts'
import { t } from '../../i18n/index.ts'
import type { Resource } from '../../kube/resources.ts'
import { linkTo } from '../../router/links.ts'
import { useActions } from '../../stores/actions.ts'
import { useCountPods } from '../../stores/count-pods.ts'
import { caps } from '../../stores/keys.ts'
import { useQuestions } from '../../stores/questions.ts'
import { wallClock } from '../../time/clock.ts'
import type { MenuEntry } from '../../ui/menu.ts'
import type { RowAction } from './list-def.ts'

const COUNTED = 20

export function useObjectActions() {
  const router = useRouter()
  const actions = useActions()
  const count = useCountPods()
  const questions = useQuestions()

  const edit = (resource: Resource, object: KubeObject) => void router.push(linkTo(refTo(resource, object), 'yaml'))
  async function askDelete(resource: Resource, objects: readonly KubeObject[], done?: () => void): Promise<void> {
    // Of very many only the question matters, not how many pods each has.
    const around = await Promise.all(objects.slice(0, COUNTED).map((object) => count(podsAround(resource, object))))
    questions.ask(deleteQuestion(resource, objects, around, done))
  }
  const askScale = (resource: Resource, object: KubeObject) =>
    questions.askScale({ ref: refTo(resource, object), replicas: (object as Deployment).spec.replicas ?? 1 })
  const askImage = (resource: Resource, object: KubeObject, container: string, image: string) =>
    questions.askImage({ ref: refTo(resource, object), container, image })
  const restartNow = (resource: Resource, object: KubeObject) => void actions.run(restart(refTo(resource, object), wallClock()))
  const togglePause = (resource: Resource, object: KubeObject) =>
    void actions.run(setPaused(refTo(resource, object), (object as Deployment).spec.paused !== true))
  const startJob = (object: KubeObject) => void actions.run(runNow(object as CronJob, wallClock()))
  const toggleSuspended = (resource: Resource, object: KubeObject) =>
    void actions.run(setSuspended(refTo(resource, object), !isSuspended(object)))

  function menu(resource: Resource, object: KubeObject, of: readonly RowAction[], deleted?: () => void): MenuEntry[] {
    const paused = (object as Deployment).spec?.paused === true
    const entries: MenuEntry[] = []
    if (of.includes('scale')) entries.push({ text: t('act.scale.entry'), icon: 'scale', select: () => askScale(resource, object) })
    if (of.includes('restart')) entries.push({ text: t('act.restart.entry'), icon: 'retry', select: () => restartNow(resource, object) })
    const [container, ...others] = of.includes('restart') ? (object as Deployment).spec.template.spec.containers : []
    if (container && !others.length)
      entries.push({
        text: t('way.changeImage'),
        icon: 'image',
        select: () => askImage(resource, object, container.name, container.image ?? ''),
      })
    if (of.includes('pause')) {
      entries.push({
        text: t(paused ? 'act.resume.entry' : 'act.pause.entry'),
        icon: paused ? 'play' : 'pause',
        select: () => togglePause(resource, object),
      })
      entries.push({
        text: t('act.rollback.entry'),
        icon: 'undo',
        select: () => void router.push(linkTo(refTo(resource, object), 'revisions')),
      })
    }
    if (of.includes('run')) entries.push({ text: t('act.run.entry'), icon: 'play', select: () => startJob(object) })
    if (of.includes('suspend')) {
      const suspended = isSuspended(object)
      entries.push({
        text: t(suspended ? 'act.unsuspend.entry' : 'act.suspend.entry'),
        icon: suspended ? 'play' : 'pause',
        select: () => toggleSuspended(resource, object),
      })
    }
    if (of.includes('edit')) entries.push({ text: t('act.edit.entry'), icon: 'edit', keys: ['E'], select: () => edit(resource, object) })
    if (of.includes('delete')) {
      if (entries.length) entries.push('line')
      entries.push({
        text: t('ask.delete.entry'),
        icon: 'trash',
        keys: caps('delete'),
        danger: true,
        select: () => void askDelete(resource, [object], deleted),
      })
    }
    return entries
  }
  return { edit, askDelete, askScale, restartNow, togglePause, startJob, menu }
}

const isSuspended = (object: KubeObject) => (object as Job | CronJob).spec.suspend === true
