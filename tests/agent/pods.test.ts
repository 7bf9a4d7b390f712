import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pod } from '../../electron/api/core/v1/types.gen.ts'
import { containerStatus, startCluster } from './cluster.ts'
import type { TestCluster } from './cluster.ts'

const main = (pod: Pod, name = 'main') => containerStatus(pod.status.containerStatuses, name)
const condition = (pod: Pod, type: string) => pod.status.conditions?.find((c) => c.type === type)
const sh = (script: string) => ({ command: ['sh', '-c', script] })
/** Ends at once when it is told to. */
const FOREVER = 'trap exit TERM; while true; do sleep 0.1; done'

describe('pods on a real runtime', () => {
  let cluster: TestCluster

  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterAll(() => cluster?.[Symbol.asyncDispose]())

  it('runs a pod, shows it ready with its addresses, and removes every trace of it', async () => {
    await cluster.createPod('plain', { containers: [{ name: 'main', ...sh(FOREVER) }] })
    const pod = await cluster.until('plain', (p) => condition(p, 'Ready')?.status === 'True')
    expect(pod.status).toMatchObject({ phase: 'Running', hostIP: '127.0.0.1', qosClass: 'BestEffort', observedGeneration: 1 })
    expect(pod.status.podIP).toMatch(/^10\./)
    expect(main(pod)).toMatchObject({ ready: true, started: true, restartCount: 0 })
    expect(main(pod).containerID).toMatch(/^containerd:\/\/[0-9a-f]{64}$/)
    expect(pod.status.conditions?.map(({ type, status }) => `${type}=${status}`)).toEqual([
      'PodReadyToStartContainers=True',
      'Initialized=True',
      'Ready=True',
      'ContainersReady=True',
      'PodScheduled=True',
    ])
    expect(condition(pod, 'Ready')?.reason).toBeUndefined()
    await cluster.deletePod('plain')
    await cluster.untilGone('plain')
    await expect.poll(async () => (await cluster.lab.cri.listSandboxes()).length, { timeout: 5000 }).toBe(0)
    expect(await cluster.events('plain')).toEqual([
      'Pulled: Container image "flotilla.local/busybox:1" already present on machine and can be accessed by the pod',
      'Created: Container created',
      'Started: Container started',
      'Killing: Stopping container main',
    ])
  })

  it('runs init containers one after the other before the rest, with a sidecar beside them', async () => {
    const step = (name: string) => sh(`echo ${name} >> /steps/order; sleep 0.3; echo ${name} done >> /steps/order`)
    const volumeMounts = [{ name: 'work', mountPath: '/steps' }]
    await cluster.createPod('init', {
      volumes: [{ name: 'work', emptyDir: {} }],
      initContainers: [
        { name: 'first', ...step('first'), volumeMounts },
        { name: 'side', ...sh(`echo side >> /steps/order; ${FOREVER}`), restartPolicy: 'Always', volumeMounts },
        { name: 'second', ...step('second'), volumeMounts },
      ],
      containers: [{ name: 'main', ...sh(`echo main >> /steps/order; ${FOREVER}`), volumeMounts }],
    })
    const pod = await cluster.until('init', (p) => condition(p, 'Ready')?.status === 'True')
    expect(await cluster.sh('init', 'cat /steps/order')).toBe('first\nfirst done\nside\nsecond\nsecond done\nmain\n')
    expect(pod.status.initContainerStatuses?.map(({ name, ready, state }) => [name, ready, Object.keys(state)[0]])).toEqual([
      ['first', true, 'terminated'],
      ['side', true, 'running'],
      ['second', true, 'terminated'],
    ])
    expect(containerStatus(pod.status.initContainerStatuses, 'first').state.terminated).toMatchObject({ reason: 'Completed', exitCode: 0 })
    await cluster.deletePod('init')
    await cluster.untilGone('init')
  })

  it('ends a pod whose init container fails and may not be repeated', async () => {
    await cluster.createPod('init-fails', {
      restartPolicy: 'Never',
      initContainers: [
        { name: 'bad', ...sh('exit 3') },
        { name: 'never', ...sh('true') },
      ],
      containers: [{ name: 'main', ...sh(FOREVER) }],
    })
    const pod = await cluster.until('init-fails', (p) => p.status.phase === 'Failed')
    expect(condition(pod, 'Initialized')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [bad never]',
    })
    expect(containerStatus(pod.status.initContainerStatuses, 'bad').state.terminated).toMatchObject({ exitCode: 3, reason: 'Error' })
    expect(main(pod).state.waiting?.reason).toBe('PodInitializing')
  })

  it('restarts what crashes, at once and then ever later, and says so', async () => {
    await cluster.createPod('crash', {
      containers: [{ name: 'main', ...sh('echo about to fail; exit 7'), terminationMessagePolicy: 'FallbackToLogsOnError' }],
    })
    const pod = await cluster.until('crash', (p) => main(p).state.waiting?.reason === 'CrashLoopBackOff')
    expect(main(pod).restartCount).toBe(1)
    expect(main(pod).lastState.terminated).toMatchObject({ exitCode: 7, reason: 'Error', message: 'about to fail\n' })
    expect(main(pod).state.waiting?.message).toMatch(/^back-off 10s restarting failed container=main pod=crash_default\(/)
    expect(pod.status.phase).toBe('Running')
    const again = await cluster.until('crash', (p) => main(p).restartCount === 2, 15_000)
    expect(main(again).restartCount).toBe(2)
    await cluster.until('crash', (p) => main(p).state.waiting?.message?.startsWith('back-off 20s'))
    expect(await cluster.events('crash')).toContainEqual(
      expect.stringMatching(/^BackOff: Back-off restarting failed container main in pod crash_default/),
    )
    await cluster.deletePod('crash')
    await cluster.untilGone('crash')
  })

  it('lets pods that need no restart succeed or fail by their exit codes, with what they said last', async () => {
    const containers = [{ name: 'main', ...sh('echo -n all done > /dev/termination-log') }]
    await cluster.createPod('succeeds', { restartPolicy: 'Never', containers })
    const pod = await cluster.until('succeeds', (p) => p.status.phase === 'Succeeded')
    expect(main(pod).state.terminated).toMatchObject({ exitCode: 0, reason: 'Completed', message: 'all done' })
    expect(condition(pod, 'Ready')).toMatchObject({ status: 'False', reason: 'PodCompleted' })
    await cluster.createPod('on-failure', { restartPolicy: 'OnFailure', containers: [{ name: 'main', ...sh('[ -e /tmp/x ] || exit 1') }] })
    const failing = await cluster.until('on-failure', (p) => main(p).restartCount > 0)
    expect(failing.status.phase).toBe('Running')
    await cluster.createPod('fails', { restartPolicy: 'Never', containers: [...containers, { name: 'other', ...sh('exit 9') }] })
    const failed = await cluster.until('fails', (p) => p.status.phase === 'Failed')
    expect(main(failed, 'other').state.terminated).toMatchObject({ exitCode: 9, reason: 'Error' })
    expect(condition(failed, 'Ready')).toMatchObject({ status: 'False', reason: 'PodFailed' })
    for (const name of ['succeeds', 'on-failure', 'fails']) {
      await cluster.deletePod(name)
      await cluster.untilGone(name)
    }
  })

  it('stops gracefully: hook first, then TERM, then KILL when the grace is over', async () => {
    const volumes = [{ name: 'out', hostPath: { path: cluster.lab.dir } }]
    const volumeMounts = [{ name: 'out', mountPath: '/out' }]
    await cluster.createPod('graceful', {
      volumes,
      containers: [
        {
          name: 'main',
          ...sh('trap "echo term >> /out/stopped; exit 0" TERM; while true; do sleep 0.1; done'),
          lifecycle: { preStop: { exec: { command: ['sh', '-c', 'sleep 0.5; echo hook >> /out/stopped'] } } },
          volumeMounts,
        },
      ],
    })
    await cluster.until('graceful', (p) => p.status.phase === 'Running')
    await cluster.deletePod('graceful')
    await cluster.untilGone('graceful')
    const { readFile } = await import('node:fs/promises')
    expect(await readFile(`${cluster.lab.dir}/stopped`, 'utf8')).toBe('hook\nterm\n')

    await cluster.createPod('stubborn', {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', ...sh('trap "" TERM; while true; do sleep 1; done') }],
    })
    await cluster.until('stubborn', (p) => p.status.phase === 'Running')
    const began = Date.now()
    await cluster.deletePod('stubborn')
    await cluster.untilGone('stubborn')
    expect(Date.now() - began).toBeLessThan(6000)
  })

  it('cuts a long grace short when the pod is deleted again with a shorter one', async () => {
    await cluster.createPod('slow', {
      terminationGracePeriodSeconds: 60,
      containers: [{ name: 'main', ...sh('trap "" TERM; while true; do sleep 1; done') }],
    })
    await cluster.until('slow', (p) => p.status.phase === 'Running')
    await cluster.deletePod('slow')
    await cluster.until('slow', (p) => p.metadata.deletionTimestamp)
    await cluster.deletePod('slow', 1)
    await cluster.untilGone('slow', 10_000)
  })

  it('ends a pod that was active for too long', async () => {
    await cluster.createPod('deadline', { activeDeadlineSeconds: 1, containers: [{ name: 'main', ...sh(FOREVER) }] })
    const pod = await cluster.until('deadline', (p) => p.status.phase === 'Failed')
    expect(pod.status).toMatchObject({
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    })
  })

  it('kills a container that takes too much memory, and names the reason', async () => {
    await cluster.createPod('greedy', {
      restartPolicy: 'Never',
      containers: [{ name: 'main', ...sh('tail /dev/zero'), resources: { limits: { memory: '24Mi' } } }],
    })
    const pod = await cluster.until('greedy', (p) => p.status.phase === 'Failed')
    expect(main(pod).state.terminated).toMatchObject({ reason: 'OOMKilled', exitCode: 137 })
  })

  it('says what is wrong with images and commands', async () => {
    const waiting = async (name: string, reason: string) =>
      (await cluster.until(name, (p) => main(p).state.waiting?.reason === reason)).status
    await cluster.createPod('never', { containers: [{ name: 'main', image: 'flotilla.local/none:1', imagePullPolicy: 'Never' }] })
    const never = await waiting('never', 'ErrImageNeverPull')
    expect(containerStatus(never.containerStatuses, 'main').state.waiting?.message).toBe(
      'Container image "flotilla.local/none:1" is not present with pull policy of Never',
    )
    await cluster.createPod('unpullable', { containers: [{ name: 'main', image: '127.0.0.1:9/none:1' }] })
    const backing = await waiting('unpullable', 'ImagePullBackOff')
    expect(containerStatus(backing.containerStatuses, 'main').state.waiting?.message).toMatch(
      /^Back-off pulling image "127.0.0.1:9\/none:1": ErrImagePull: failed to pull/,
    )
    await cluster.createPod('misnamed', { containers: [{ name: 'main', image: 'NOT/an//image' }] })
    await waiting('misnamed', 'InvalidImageName')
    await cluster.createPod('no-command', { containers: [{ name: 'main', command: ['/bin/nope'] }] })
    const failed = await waiting('no-command', 'RunContainerError')
    expect(containerStatus(failed.containerStatuses, 'main').state.waiting?.message).toMatch(/executable file not found|no such file/)
    await cluster.createPod('no-config', { containers: [{ name: 'main', ...sh(FOREVER), envFrom: [{ configMapRef: { name: 'later' } }] }] })
    const config = await waiting('no-config', 'CreateContainerConfigError')
    expect(containerStatus(config.containerStatuses, 'main').state.waiting?.message).toBe('configmap "later" not found')
    await cluster.apply('configMap', 'later', { KEY: 'value' })
    await cluster.until('no-config', (p) => p.status.phase === 'Running')
    expect(await cluster.sh('no-config', 'echo $KEY')).toBe('value\n')
    await cluster.createPod('as-root', { securityContext: { runAsNonRoot: true }, containers: [{ name: 'main', ...sh(FOREVER) }] })
    const root = await waiting('as-root', 'CreateContainerConfigError')
    expect(containerStatus(root.containerStatuses, 'main').state.waiting?.message).toMatch(
      /^container has runAsNonRoot and image will run as root \(pod: "as-root_default/,
    )
    for (const name of ['never', 'unpullable', 'misnamed', 'no-command', 'no-config', 'as-root']) await cluster.deletePod(name, 1)
    for (const name of ['never', 'unpullable', 'misnamed', 'no-command', 'no-config', 'as-root']) await cluster.untilGone(name)
  })

  it('refuses pods that do not fit', async () => {
    await cluster.createPod('huge', { containers: [{ name: 'main', resources: { requests: { cpu: '500' } } }] })
    const huge = await cluster.until('huge', (p) => p.status.phase === 'Failed')
    expect(huge.status).toMatchObject({
      reason: 'OutOfcpu',
      message: expect.stringMatching(
        /^Pod was rejected: Node didn't have enough resource: cpu, requested: 500000, used: 0, capacity: \d+$/,
      ),
    })
    await cluster.createPod('elsewhere', { nodeSelector: { color: 'blue' }, containers: [{ name: 'main' }] })
    const elsewhere = await cluster.until('elsewhere', (p) => p.status.phase === 'Failed')
    expect(elsewhere.status.reason).toBe('NodeAffinity')
    for (const name of ['huge', 'elsewhere']) {
      await cluster.deletePod(name)
      await cluster.untilGone(name)
    }
  })
})
