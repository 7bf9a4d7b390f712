/** What a cluster can do as it is made, with claims and with figures: a StatefulSet keeps its data, and leaves nothing behind. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PersistentVolume, Pod } from '../../electron/api/core/v1/types.gen.ts'
import { App, run, until } from './cluster.ts'

const MANIFEST = `
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      securityContext: {runAsUser: 1234, fsGroup: 4321}
      containers:
      - name: main
        image: flotilla.local/demo:1
        command: [sh, -c, "echo started >> /data/log; trap exit TERM; while true; do sleep 0.2; done"]
        volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 64Mi}}}
`

let app: App
beforeAll(async () => {
  app = await App.create()
  await app.up(1)
})
afterAll(() => app?.[Symbol.asyncDispose]())

const folders = () => readdir(join(app.stateDir, 'sandbox/node-1/root/var/lib/flotilla/agent/volumes'))
const isReady = ({ status }: Pod) => status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')
const pod = (name: string) => app.get<Pod>('pod', name)
const volumes = async () => (await app.get<{ items: PersistentVolume[] }>('pv')).items

describe('a new cluster', () => {
  it('has a default storage class', async () => {
    expect(await app.kube('get', 'storageclass')).toMatch(
      /local \(default\) +infra\.flotilla\.dev\/local +Delete +WaitForFirstConsumer +true/,
    )
  })

  it('gives each pod of a StatefulSet a volume, which a user of its own may write', async () => {
    const { code, err } = await run('kubectl', ['--kubeconfig', app.ready.kubeconfig, 'apply', '-f', '-'], { input: MANIFEST })
    expect(code, err).toBe(0)
    await until('both pods are ready', async () => isReady(await pod('db-0')) && isReady(await pod('db-1')))
    expect(await app.kube('get', 'pvc')).toMatch(/data-db-0 +Bound +pvc-\S+ +64Mi +RWO +local/)
    expect(await folders()).toHaveLength(2)
    expect(await app.kube('exec', 'db-0', '--', 'cat', '/data/log')).toBe('started\n')
  })

  it('keeps what a pod wrote for the next one of its name', async () => {
    const { uid } = (await pod('db-0')).metadata
    await app.kube('delete', 'pod', 'db-0')
    await until('db-0 is ready again', async () => {
      const now = await pod('db-0')
      return now.metadata.uid !== uid && isReady(now)
    })
    expect(await app.kube('exec', 'db-0', '--', 'cat', '/data/log')).toBe('started\nstarted\n')
  })

  it('tells what nodes and pods use', async () => {
    const figures = await until('there are figures of the pods', async () => {
      const { code, out } = await app.kubectl('top', 'pod', 'db-0', '--containers')
      return code === 0 && out
    })
    expect(figures).toMatch(/db-0 +main +\d+m +\d+Mi/)
    expect(await app.kube('top', 'node')).toMatch(/node-1 +\d+m +\d+% +\d+Mi +\d+%/)
  })

  it('keeps a claim while a pod uses it, and nothing of it afterwards', async () => {
    await app.kube('delete', 'pvc', 'data-db-0', '--wait=false')
    expect(await app.kube('get', 'pvc', 'data-db-0')).toContain('Terminating')
    await app.kube('delete', 'statefulset', 'db', '--cascade=foreground', '--timeout=60s')
    await app.kube('delete', 'pvc', '--all', '--timeout=60s')
    await until('the volumes are gone', async () => (await volumes()).length === 0)
    expect(await folders()).toEqual([])
  })
})
