/** What kubectl does with pods that run. */
import assert from 'node:assert/strict'
import { pod, service } from '../../../../electron/api/kinds.gen.ts'
import type { BehaviourContext, Behaviours } from '../../lib/behaviour.ts'
import { finishPod, shell, STAY, startPod } from '../../lib/running.ts'
import { podsOf, untilReady } from '../../lib/workloads.ts'

const DEMO = 'flotilla.local/demo:1'
const LABELS = { app: 'work', role: 'primary' }

/** Its output; throws with its complaint if it fails. */
async function run(
  context: BehaviourContext,
  args: string[],
  options: { input?: string; namespace?: string | null } = {},
): Promise<string> {
  const { code, out, err } = await context.kubectl(args, options)
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${err}`)
  return out
}

/** A ReplicationController named `work`, made by kubectl, whose pods run. */
async function createController(context: BehaviourContext, replicas: number): Promise<void> {
  const containers = [{ ...shell(context, STAY), ports: [{ containerPort: 6379 }] }]
  const template = { metadata: { labels: LABELS }, spec: { terminationGracePeriodSeconds: 1, containers } }
  const manifest = {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: { name: 'work' },
    spec: { replicas, selector: LABELS, template },
  }
  await run(context, ['create', '-f', '-'], { input: JSON.stringify(manifest) })
  await untilReady(context, LABELS, replicas)
}

export const behaviours: Behaviours = {
  async 'kubectl-describe'(context) {
    const { client, namespace } = context
    await createController(context, 1)
    const [first] = await podsOf(context, LABELS)
    assert.ok(first)
    await client.create(service, {
      metadata: { name: 'served', namespace },
      spec: { selector: LABELS, ports: [{ port: 6379, protocol: 'TCP' }] },
    })
    const described = async (wanted: (string | RegExp)[], ...args: string[]) => {
      const text = await run(context, ['describe', ...args])
      for (const one of wanted) assert.match(text, one instanceof RegExp ? one : new RegExp(`^${one}:`, 'm'))
    }
    const { name } = first.metadata
    await described(
      [
        new RegExp(`^Name: +${name}$`, 'm'),
        new RegExp(`^Namespace: +${namespace}$`, 'm'),
        /^Labels: +app=work$/m,
        /^Status: +Running$/m,
        /State: +Running/,
        /^Controlled By: +ReplicationController\/work$/m,
        'Node',
        'IP',
        'Containers',
        'Conditions',
        'Volumes',
      ],
      'pod',
      name,
    )
    await described(
      [
        /^Name: +work$/m,
        /^Replicas: +1 current \/ 1 desired$/m,
        /^Pods Status: +1 Running \/ 0 Waiting/m,
        'Selector',
        'Labels',
        'Pod Template',
      ],
      'rc',
      'work',
    )
    await described(
      [/^Name: +served$/m, /^Type: +ClusterIP$/m, /^Session Affinity: +None$/m, 'Labels', 'Selector', 'IP', 'Endpoints'],
      'service',
      'served',
    )
    const node = first.spec.nodeName ?? ''
    await described(
      [
        new RegExp(`^Name: +${node}$`, 'm'),
        'Labels',
        'Annotations',
        'CreationTimestamp',
        'Conditions',
        'Addresses',
        'Capacity',
        'System Info',
        'Non-terminated Pods',
      ],
      'node',
      node,
    )
    await described([new RegExp(`^Name: +${namespace}$`, 'm'), /^Status: +Active$/m, 'Labels', 'Annotations'], 'namespace', namespace)
  },

  async 'kubectl-expose'(context) {
    const { client, namespace } = context
    await createController(context, 1)
    const ports = async (name: string) =>
      (await client.get(service, { name, namespace })).spec.ports?.map(({ port, targetPort }) => [port, targetPort])
    await run(context, ['expose', 'rc', 'work', '--name=rm2', '--port=1234', '--target-port=6379'])
    assert.deepEqual(await ports('rm2'), [[1234, 6379]])
    await run(context, ['expose', 'service', 'rm2', '--name=rm3', '--port=2345', '--target-port=6379'])
    assert.deepEqual(await ports('rm3'), [[2345, 6379]])
  },

  async 'kubectl-label'(context) {
    const { metadata } = await startPod(context, { containers: [shell(context, STAY)] })
    const found = () => run(context, ['get', 'pod', '-l', 'testing-label=testing-label-value', '-o', 'name'])
    assert.equal(await found(), '')
    await run(context, ['label', 'pod', metadata.name, 'testing-label=testing-label-value'])
    assert.equal(await found(), `pod/${metadata.name}\n`)
    await run(context, ['label', 'pod', metadata.name, 'testing-label-'])
    assert.equal(await found(), '')
  },

  async 'kubectl-logs'(context) {
    const script = 'echo an early line; sleep 3; echo the last line'
    const { metadata } = await finishPod(context, { containers: [shell(context, script)] })
    const logs = (...args: string[]) => run(context, ['logs', metadata.name, 'main', ...args])
    assert.equal(await logs(), 'an early line\nthe last line\n')
    assert.equal(await logs('--tail=1'), 'the last line\n')
    assert.equal(await logs('--limit-bytes=1'), 'a')
    assert.match(await logs('--tail=1', '--timestamps'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) the last line\n$/)
    assert.equal(await logs('--since=24h'), 'an early line\nthe last line\n')
    assert.ok(!(await logs('--since=1s')).includes('an early line'))
  },

  async 'kubectl-patch-annotate'(context) {
    await createController(context, 2)
    const pods = await podsOf(context, LABELS)
    for (const { metadata } of pods) await run(context, ['patch', 'pod', metadata.name, '-p', '{"metadata":{"annotations":{"x":"y"}}}'])
    const after = await podsOf(context, LABELS)
    assert.deepEqual(
      after.map(({ metadata }) => metadata.annotations?.['x']),
      ['y', 'y'],
    )
  },

  async 'kubectl-rc-create-stop'(context) {
    await createController(context, 2)
    const pods = await podsOf(context, LABELS)
    assert.ok(pods.every(({ spec, status }) => spec.containers[0]?.image === context.image && status.phase === 'Running'))
    await run(context, ['delete', 'rc', 'work', '--cascade=foreground', '--wait=true'])
    assert.equal((await run(context, ['get', 'rc,pods', '-l', 'app=work', '-o', 'name'])).trim(), '')
    const { code } = await context.kubectl(['get', 'rc', 'work'])
    assert.equal(code, 1)
  },

  async 'kubectl-rc-scale'(context) {
    await createController(context, 2)
    for (const count of [1, 2]) {
      await run(context, ['scale', 'rc', 'work', `--replicas=${count}`, '--timeout=60s'])
      await untilReady(context, LABELS, count)
    }
  },

  async 'kubectl-replace'(context) {
    const { metadata } = await startPod(context, { containers: [shell(context, STAY)] })
    const manifest = JSON.parse(await run(context, ['get', 'pod', metadata.name, '-o', 'json'])) as {
      spec: { containers: { image: string }[] }
    }
    const [container] = manifest.spec.containers
    assert.ok(container)
    container.image = DEMO
    await run(context, ['replace', '-f', '-'], { input: JSON.stringify(manifest) })
    assert.equal((await context.client.get(pod, metadata)).spec.containers[0]?.image, DEMO)
  },
}
