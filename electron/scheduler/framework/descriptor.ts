/** A plugin as data: a folder that calls `definePlugin`. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import type { Throttle } from '../cycle/throttle.ts'
import type { ChangeLog } from '../snapshot/change-log.ts'
import type { NodeInfo } from '../snapshot/node-info.ts'
import type { PodInfo } from '../snapshot/pod-info.ts'
import type { Attempt } from './attempt.ts'
import type { AnyPlugin } from './plugin.ts'
import type { Result } from './status.ts'

export interface PluginDescriptor<Args extends object = object> {
  /** As kube-scheduler names it: "NodeResourcesFit". */
  readonly name: string
  /** Of its scores; default 1. */
  readonly weight?: number
  readonly defaults: Args
  /** Throws for arguments that cannot be. */
  create(args: Args, handle: Handle): AnyPlugin
}

/** What a plugin may use beside what it is called with. */
export interface Handle {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly events: Events
  readonly nominated: Nominated
  /** What decisions lead to; no others are made while too many calls are under way. */
  readonly calls: Throttle
  /** Aborts when the scheduler is stopped. */
  readonly signal: AbortSignal
  /** The pod as informers have it now. */
  livePod(namespace: string, name: string): Pod | undefined
  /** Has a waiting pod tried again soon, whatever refused it. */
  activate(uid: string): void
  /** Gives a plugin's leave to a pod that is held by Permit; false if it does not wait for this plugin. */
  allowWaiting(uid: string, plugin: string): boolean
  /** Ends the waiting of a pod that is held by Permit; false if it is not. */
  rejectWaiting(uid: string, plugin: string, message: string): boolean
  /** All filters of the pod's profile, with pods nominated to the node counted as if they were on it. */
  filter(attempt: Attempt, pod: PodInfo, node: NodeInfo): Result
  addPod(attempt: Attempt, pod: PodInfo, added: PodInfo, node: NodeInfo): void
  removePod(attempt: Attempt, pod: PodInfo, removed: PodInfo, node: NodeInfo): void
}

export interface Events {
  event(regarding: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void
}

/** Pods that a node was promised to. */
export interface Nominated {
  readonly size: number
  /** How many of them do not want certain pods near them. */
  readonly shunning: number
  /** Of nodes whose promises change. */
  readonly changes: ChangeLog
  /** The node that the pod was promised. */
  nodeOf(uid: string): string | undefined
  /** The same list as long as nothing changes. */
  onNode(node: string): readonly PodInfo[]
}

export function definePlugin<Args extends object>(descriptor: PluginDescriptor<Args>): PluginDescriptor<Args> {
  return Object.freeze(descriptor)
}
