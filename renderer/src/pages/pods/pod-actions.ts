/** What can be done with pods, from the list, the panel and the page alike. */
import { useRouter } from 'vue-router'
import type { Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import { deleteQuestion, refTo } from '../../actions/questions.ts'
import type { Plan } from '../../actions/plan.ts'
import { restart } from '../../actions/workloads.ts'
import { t, tn } from '../../i18n/index.ts'
import { workloadAddress, workloadKey, workloadOf } from '../../kube/owners.ts'
import { fullName, PODS, type ObjectRef } from '../../kube/resources.ts'
import { linkTo } from '../../router/links.ts'
import { useCluster } from '../../stores/cluster.ts'
import { useDock } from '../../stores/dock.ts'
import { useQuestions } from '../../stores/questions.ts'
import { wallClock } from '../../time/clock.ts'

const RESTARTABLE = new Set(['Deployment', 'DaemonSet', 'StatefulSet'])

export function usePodActions() {
  const router = useRouter()
  const cluster = useCluster()
  const dock = useDock()
  const questions = useQuestions()
  const setOf = (uid: string) => cluster.replicaSets.byUid(uid)

  /** The workloads that would be restarted for these pods, and how many pods have none. */
  function restartable(pods: readonly Pod[]): { refs: ObjectRef[]; alone: number } {
    const refs = new Map<string, ObjectRef>()
    let alone = 0
    for (const pod of pods) {
      const owner = workloadOf(pod, setOf)
      const ref = RESTARTABLE.has(owner.kind) ? workloadAddress(owner) : null
      if (ref) refs.set(workloadKey(owner), ref)
      else alone++
    }
    return { refs: [...refs.values()], alone }
  }

  function askRestart(pods: readonly Pod[]): void {
    const { refs, alone } = restartable(pods)
    const at = wallClock()
    questions.ask({
      title: tn('ask.restart.title', refs.length),
      points: [
        { tone: 'ok', text: t('ask.restart.rolling') },
        ...(alone ? [{ tone: 'warn' as const, text: tn('ask.restart.alone', alone) }] : []),
      ],
      names: refs.map((ref) => `${ref.resource.kind} ${fullName(ref)}`),
      confirm: tn('ask.restart.confirm', refs.length),
      plan: (): Plan => {
        const plans = refs.map((ref) => restart(ref, at))
        const [first] = plans
        return {
          done: plans.length === 1 && first ? first.done : tn('act.restart.doneMany', plans.length),
          failed: t('act.restart.failedMany'),
          steps: plans.flatMap((plan) => plan.steps),
        }
      },
    })
  }

  return {
    restartable,
    askRestart,
    open: (pod: Pod) => void router.push(linkTo(refTo(PODS, pod))),
    logs: (pod: Pod) => void router.push(linkTo(refTo(PODS, pod), 'logs')),
    edit: (pod: Pod) => void router.push(linkTo(refTo(PODS, pod), 'yaml')),
    shell(pod: Pod, container?: string): void {
      const { name, namespace = '' } = pod.metadata
      const into = container ?? pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'] ?? pod.spec.containers[0]?.name
      const title = pod.spec.containers.length > 1 && into ? t('dock.podContainer', { pod: name, container: into }) : name
      dock.add(title, { type: 'exec', namespace, pod: name, container: into })
    },
    askDelete: (pods: readonly Pod[], done?: () => void) => questions.ask(deleteQuestion(PODS, pods, [], done)),
  }
}
