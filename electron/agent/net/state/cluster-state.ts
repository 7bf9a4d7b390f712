/**
 * What this node's network is made from: nodes, Services and their endpoints. From the API server, and while it does not answer from
 * what was seen last, also after a restart.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAbort } from '../../../base/async.ts'
import type { Clock } from '../../../base/clock.ts'
import { messageOf, systemCode } from '../../../base/errors.ts'
import { Emitter } from '../../../base/events.ts'
import { component, type Component, componentWith } from '../../../base/lifecycle.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Random } from '../../../base/random.ts'
import { node as nodeKind } from '../../../api/core/v1/node.ts'
import { service as serviceKind } from '../../../api/core/v1/service.ts'
import { endpointSlice as sliceKind } from '../../../api/discovery/v1/endpoint-slice.ts'
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import type { Informer, Informers } from '../../../client/informer.ts'
import { writeAtomically } from '../../checkpoint/atomic-file.ts'
import { nodeNet, serviceNet, sliceNet, type NodeNet, type ServiceNet, type SliceNet } from './network-objects.ts'
import { NetCollection } from './net-collection.ts'

export interface ClusterState extends Component {
  /** Whether it is known what there is: from the API server, or from the last time. */
  readonly known: boolean
  readonly nodes: ReadonlyMap<string, NodeNet>
  /** By "namespace/name". */
  readonly services: ReadonlyMap<string, ServiceNet>
  /** In order of their names. */
  slicesOf(service: string): readonly SliceNet[]
  /** After each change; what came at once is told once, in the next turn of the event loop. */
  readonly changed: Emitter<StateChange>
}

export interface StateChange {
  readonly nodes: boolean
  /** Services whose own object or endpoints changed, as "namespace/name"; null: all may have. */
  readonly services: ReadonlySet<string> | null
}

export interface ClusterStateDeps {
  readonly informers: Informers
  readonly clock: Clock
  readonly logger: Logger
  readonly random: Random
  /** The folder in which it is kept. */
  readonly stateDir: string
}

interface Saved {
  readonly version: typeof VERSION
  readonly nodes: readonly NodeNet[]
  readonly services: readonly ServiceNet[]
  readonly slices: readonly SliceNet[]
}

const VERSION = 1
/** Milliseconds after a change, so that a burst is written once. */
const SAVE_AFTER = 5000

export const stateFile = (stateDir: string) => join(stateDir, 'network.json')

/** `start` reads what was kept and does not wait for the API server. */
export function createClusterState({ informers, clock, logger, random, stateDir }: ClusterStateDeps): ClusterState {
  const file = stateFile(stateDir)
  const changed = new Emitter<StateChange>()
  const nodes = new NetCollection<NodeNet>(({ name }) => name)
  const services = new NetCollection<ServiceNet>(({ namespace, name }) => `${namespace}/${name}`)
  const slices = new NetCollection<SliceNet>(
    ({ namespace, name }) => `${namespace}/${name}`,
    ({ namespace, service }) => `${namespace}/${service}`,
  )
  let known = false
  let synced = false
  let pending: { nodes: boolean; services: Set<string> | null } | null = null
  let saving: Disposable | null = null
  let written = ''

  const tell = (change: (to: { nodes: boolean; services: Set<string> | null }) => void) => {
    if (!pending) {
      pending = { nodes: false, services: new Set() }
      queueMicrotask(flush)
    }
    change(pending)
  }
  const flush = () => {
    const now = pending
    pending = null
    if (now) changed.emit(now)
    if (synced) saving ??= clock.setTimeout(() => void save(), SAVE_AFTER, { unref: true })
  }
  const nodeChanged = () => tell((to) => (to.nodes = true))
  const serviceChanged = (key: string) => tell((to) => to.services?.add(key))

  const save = async () => {
    saving?.[Symbol.dispose]()
    saving = null
    const saved: Saved = { version: VERSION, nodes: nodes.list(), services: services.list(), slices: slices.list() }
    const text = JSON.stringify(saved)
    if (text === written) return
    try {
      await writeAtomically(file, text, random)
      written = text
    } catch (error) {
      logger.warn('could not keep the state of the network', { file, error: messageOf(error) })
    }
  }

  const load = async () => {
    try {
      const text = await readFile(file, 'utf8')
      const saved = JSON.parse(text) as Saved
      if (saved.version !== VERSION) return
      nodes.replace(saved.nodes)
      services.replace(saved.services)
      slices.replace(saved.slices)
      written = text
      known = true
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') logger.warn('the kept state of the network cannot be read', { file, error: messageOf(error) })
    }
  }

  const base = component(async (stack, signal) => {
    await load()
    const all = [informers.for(nodeKind), informers.for(serviceKind), informers.for(sliceKind)] as const
    const [nodeInformer, serviceInformer, sliceInformer] = all
    // Before all have their first list, a part of them would say less than what was kept.
    const takeOver = () => {
      nodes.replace(nodeInformer.list().map(nodeNet))
      services.replace(serviceInformer.list().map(serviceNet))
      slices.replace(sliceInformer.list().flatMap((slice) => sliceNet(slice) ?? []))
      known = true
      synced = true
      tell((to) => {
        to.nodes = true
        to.services = null
      })
    }
    const follow = <T extends KubeObject>(informer: Informer<T>, put: (object: T) => void, drop: (object: T) => void) => {
      const whenSynced = (act: (object: T) => void) => (object: T) => {
        if (synced) act(object)
      }
      stack.use(informer.on({ add: whenSynced(put), update: whenSynced(put), delete: whenSynced(drop) }))
    }
    const keyOf = ({ metadata }: KubeObject) => `${metadata.namespace ?? ''}/${metadata.name}`
    const changedIn = (owner: string | null) => owner !== null && serviceChanged(owner)
    follow(
      nodeInformer,
      (node) => nodes.put(nodeNet(node)) && nodeChanged(),
      ({ metadata }) => nodes.delete(metadata.name) && nodeChanged(),
    )
    follow(
      serviceInformer,
      (service) => services.put(serviceNet(service)) && serviceChanged(keyOf(service)),
      (service) => services.delete(keyOf(service)) && serviceChanged(keyOf(service)),
    )
    const dropSlice = (key: string) => {
      const old = slices.all.get(key)
      if (old && slices.delete(key)) changedIn(`${old.namespace}/${old.service}`)
    }
    follow(
      sliceInformer,
      (slice) => {
        const next = sliceNet(slice)
        const old = slices.all.get(keyOf(slice))
        if (!next || (old && old.service !== next.service)) dropSlice(keyOf(slice))
        if (next && slices.put(next)) changedIn(`${next.namespace}/${next.service}`)
      },
      (slice) => dropSlice(keyOf(slice)),
    )
    void Promise.all(all.map((informer) => informer.whenSynced(signal)))
      .then(takeOver)
      .catch((error: unknown) => {
        if (!isAbort(error)) logger.error('the state of the network was not taken over', { error })
      })
    stack.defer(async () => {
      if (saving) await save()
    })
  })

  return componentWith(base, {
    get known() {
      return known
    },
    nodes: nodes.all,
    services: services.all,
    slicesOf: (service) => slices.of(service),
    changed,
  })
}
