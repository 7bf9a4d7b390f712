/** Takes a way out that a cause offers. */
import { useRouter } from 'vue-router'
import type { Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import type { Deployment } from '../../../../electron/api/apps/v1/types.gen.ts'
import { setMemoryLimit } from '../../actions/workloads.ts'
import { deleteObjects } from '../../actions/objects.ts'
import { refTo } from '../../actions/questions.ts'
import { workloadAddress, workloadOf } from '../../kube/owners.ts'
import type { Cause, WayOut } from '../../kube/pod-cause.ts'
import { MACHINES, PODS, type ObjectRef } from '../../kube/resources.ts'
import { linkTo } from '../../router/links.ts'
import { useQuestions } from '../../stores/questions.ts'
import { useActions } from '../../stores/actions.ts'
import { useCluster } from '../../stores/cluster.ts'
import { useFrame } from '../../stores/frame.ts'

/** Kinds that replace their pods when their template changes. */
const ROLLS = ['Deployment', 'DaemonSet', 'StatefulSet']

export function useWaysOut(): { take(pod: Pod, way: WayOut): void; offered(pod: Pod, cause: Cause): readonly WayOut[] } {
  const router = useRouter()
  const actions = useActions()
  const cluster = useCluster()
  const frame = useFrame()
  const questions = useQuestions()

  const deploymentOf = (pod: Pod): Deployment | undefined => {
    const owner = workloadOf(pod, (uid) => cluster.replicaSets.byUid(uid))
    if (owner.kind !== 'Deployment') return undefined
    return cluster.deployments.items.value.find((d) => d.metadata.name === owner.name && d.metadata.namespace === owner.namespace)
  }
  function take(pod: Pod, way: WayOut): void {
    const here = refTo(PODS, pod)
    const workload = workloadAddress(workloadOf(pod, (uid) => cluster.replicaSets.byUid(uid)))
    switch (way.id) {
      case 'raise-memory': {
        const deployment = deploymentOf(pod)
        if (workload && deployment)
          void actions.run(setMemoryLimit(workload, deployment.spec.template.spec.containers, way.container, way.from, way.to))
        return
      }
      case 'logs':
        return void router.push(linkTo(here, 'logs'))
      case 'previous-logs':
        return void router.push({ ...(linkTo(here) as object), query: { tab: 'logs', container: way.container, previous: '1' } })
      case 'change-image': {
        const ref = templateHolder(pod)
        if (ref) questions.askImage({ ref, container: way.container, image: way.image })
        return
      }
      case 'import-image':
        return void (frame.importImages = true)
      case 'edit':
        return void router.push(linkTo(workload ?? here, 'yaml'))
      case 'events':
        return void router.push(linkTo(here, 'events'))
      case 'add-machine':
        return frame.openMachine()
      case 'open-machine':
        return void router.push(linkTo({ resource: MACHINES, name: way.machine }))
      case 'delete-now':
        return void actions.run(deleteObjects([here], { now: true }))
    }
  }
  /** Where the image of a pod's container is written: its Deployment or its like, or the pod itself if nothing made it. */
  function templateHolder(pod: Pod): ObjectRef | null {
    const owner = workloadOf(pod, (uid) => cluster.replicaSets.byUid(uid))
    if (owner.kind === 'Pod') return refTo(PODS, pod)
    return ROLLS.includes(owner.kind) ? workloadAddress(owner) : null
  }
  const allowed = (pod: Pod, way: WayOut) => {
    if (way.id === 'raise-memory') return deploymentOf(pod) !== undefined
    if (way.id === 'change-image') return templateHolder(pod) !== null && pod.spec.containers.some((c) => c.name === way.container)
    return true
  }
  /** Without those that this pod's owner does not allow. */
  const offered = (pod: Pod, cause: Cause) => cause.ways.filter((way) => allowed(pod, way))
  return { take, offered }
}
