/** What becomes of a pod on its node. */
import type { ContainerStatus, Pod } from '../../../electron/api/core/v1/types.gen.ts'

export interface Fate {
  readonly status: Partial<Pod['status']>
  readonly events: readonly { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string }[]
}

const time = (ms: number) => `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`
let lastAddress = 1

/** What containerd says of a tag that its registry does not have. */
const pullError = (image: string) =>
  `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`

/** A pull that failed is tried again after a pause, and says so. */
export function statusAfter(pod: Pod): Pod['status'] | null {
  const statuses = pod.status.containerStatuses ?? []
  if (!statuses.some((s) => s.state.waiting?.reason === 'ErrImagePull')) return null
  const waits = (s: ContainerStatus) => ({
    waiting: {
      reason: 'ImagePullBackOff',
      message: `Back-off pulling image "${s.image}": ErrImagePull: ${s.state.waiting?.message ?? ''}`,
    },
  })
  return {
    ...pod.status,
    containerStatuses: statuses.map((s) => (s.state.waiting?.reason === 'ErrImagePull' ? { ...s, state: waits(s) } : s)),
  }
}

export function statusFor(pod: Pod, now: number): Fate | null {
  const image = pod.spec.containers[0]?.image ?? ''
  const fate = image.endsWith(':nope') ? 'missing' : (pod.metadata.annotations?.['fake/fate'] ?? '')
  const ip = `10.244.${1 + (lastAddress >> 8)}.${lastAddress++ & 255 || 1}`
  const base = (name: string, image: string): ContainerStatus => ({
    name,
    image,
    imageID: `sha256:${'0'.repeat(64)}`,
    containerID: `containerd://${pod.metadata.uid}-${name}`,
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: time(now) } },
    lastState: {},
  })
  const all = pod.spec.containers.map((c) => base(c.name, c.image ?? ''))
  const [first, ...rest] = all
  if (!first) return null
  const conditions = (ready: boolean) =>
    ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
      type,
      status: ready || type === 'Initialized' || type === 'PodScheduled' ? 'True' : 'False',
      lastTransitionTime: time(now),
      ...(ready || type === 'Initialized' || type === 'PodScheduled'
        ? {}
        : { reason: 'ContainersNotReady', message: `containers with unready status: [${first.name}]` }),
    }))
  const at = { hostIP: '10.77.0.11', podIP: ip, podIPs: [{ ip }], startTime: time(now) }
  const bad = (status: Partial<ContainerStatus>, events: Fate['events'], phase: Pod['status']['phase'] = 'Running'): Fate => ({
    status: {
      ...at,
      phase,
      conditions: conditions(false),
      containerStatuses: [{ ...first, ready: false, started: false, ...status }, ...rest],
    },
    events,
  })
  const ended = (exitCode: number, reason: string, agoMs: number, ranMs: number) => ({
    terminated: {
      exitCode,
      reason,
      startedAt: time(now - agoMs - ranMs),
      finishedAt: time(now - agoMs),
      containerID: 'containerd://before',
    },
  })
  switch (fate) {
    case 'oom':
      return bad(
        {
          restartCount: 3,
          state: { waiting: { reason: 'CrashLoopBackOff', message: `back-off 40s restarting failed container=${first.name}` } },
          lastState: ended(137, 'OOMKilled', 9000, 380_000),
        },
        [{ type: 'Warning', reason: 'BackOff', message: `Back-off restarting failed container ${first.name}` }],
      )
    case 'crash':
      return bad(
        {
          restartCount: 5,
          state: { waiting: { reason: 'CrashLoopBackOff', message: `back-off 2m40s restarting failed container=${first.name}` } },
          lastState: ended(1, 'Error', 60_000, 2000),
        },
        [{ type: 'Warning', reason: 'BackOff', message: `Back-off restarting failed container ${first.name}` }],
      )
    case 'missing':
      return bad(
        { imageID: '', containerID: '', state: { waiting: { reason: 'ErrImagePull', message: pullError(image) } } },
        [
          { type: 'Normal', reason: 'Pulling', message: `Pulling image "${image}"` },
          { type: 'Warning', reason: 'Failed', message: `Failed to pull image "${image}": ${pullError(image)}` },
        ],
        'Pending',
      )
    case 'starting':
      return bad(
        { imageID: '', containerID: '', state: { waiting: { reason: 'ContainerCreating' } } },
        [{ type: 'Normal', reason: 'Pulling', message: `Pulling image "${image}"` }],
        'Pending',
      )
    case 'done':
      return {
        status: {
          ...at,
          phase: 'Succeeded',
          conditions: conditions(false),
          containerStatuses: [
            {
              ...first,
              ready: false,
              state: { terminated: { exitCode: 0, reason: 'Completed', startedAt: time(now - 1400), finishedAt: time(now) } },
            },
          ],
        },
        events: [],
      }
    case 'restarted':
      return {
        status: {
          ...at,
          phase: 'Running',
          conditions: conditions(true),
          containerStatuses: [{ ...first, restartCount: 1, lastState: ended(1, 'Error', 480_000, 3_600_000) }, ...rest],
        },
        events: [],
      }
    default:
      return {
        status: { ...at, phase: 'Running', conditions: conditions(true), containerStatuses: all },
        events: [
          { type: 'Normal', reason: 'Pulled', message: `Container image "${image}" already present on machine` },
          { type: 'Normal', reason: 'Started', message: `Container ${first.name} started` },
        ],
      }
  }
}
