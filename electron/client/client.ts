/**
 * The one client. Controllers, scheduler, agent, provisioner and the UI's face know this interface and nothing else of the API
 * server. Two implementations: `RemoteClient` over HTTPS, and the API server's in-process client, which enters the same request
 * pipeline after the socket. Everything fails with StatusError; what is handed out may be shared and is frozen: copy before changing.
 */
import type { Kind } from '../api/kind.ts'
import type { Draft, KubeList, KubeObject } from '../api/meta/v1/object.ts'
import type { DeleteOptions } from '../api/meta/v1/types.gen.ts'
import type { WatchEvent } from '../machinery/watch-event.ts'

export interface Client {
  get<T extends KubeObject>(kind: Kind<T>, at: Name, options?: GetOptions): Promise<T>
  list<T extends KubeObject>(kind: Kind<T>, options?: ListOptions): Promise<KubeList<T>>
  /**
   * Events after `resourceVersion` (absent: the present state as ADDED, then changes). Ends normally when the server closes the
   * watch; throws StatusError `Expired` or `Gone` when history is gone, and the signal's reason when aborted.
   */
  watch<T extends KubeObject>(kind: Kind<T>, options?: WatchOptions): AsyncIterable<WatchEvent<T>>
  create<T extends KubeObject>(kind: Kind<T>, object: Draft<T>, options?: WriteOptions): Promise<T>
  update<T extends KubeObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>
  patch<T extends KubeObject>(kind: Kind<T>, at: Name, patch: Patch, options?: WriteOptions): Promise<T>
  /** The deleted object, or with finalizers or a grace period the object as it waits; null where the server answers with a Status. */
  delete<T extends KubeObject>(kind: Kind<T>, at: Name, options?: Draft<DeleteOptions> & CallOptions): Promise<T | null>
  deleteCollection<T extends KubeObject>(kind: Kind<T>, options: ListOptions & { delete?: Draft<DeleteOptions> }): Promise<void>
  /** Any request; a status of 400 or more is returned, not thrown. */
  request(request: RawRequest): Promise<RawResponse>
  /** A WebSocket to a streaming subresource (exec, attach, portforward). Throws StatusError if the upgrade is refused. */
  websocket(request: WebSocketRequest): Promise<ChannelSocket>
}

export interface Name {
  readonly name: string
  readonly namespace?: string | undefined
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

export interface GetOptions extends CallOptions {
  readonly resourceVersion?: string
  readonly subresource?: string
}

export interface ListOptions extends CallOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan'
  readonly limit?: number
  readonly continue?: string
}

export interface WatchOptions extends CallOptions {
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly resourceVersion?: string
  readonly allowWatchBookmarks?: boolean
  readonly sendInitialEvents?: boolean
  readonly resourceVersionMatch?: 'NotOlderThan'
  /** Seconds after which the server may end the watch. */
  readonly timeoutSeconds?: number
  /** Called once when the server has accepted the watch, before its first event. */
  readonly onOpen?: () => void
}

export interface WriteOptions extends CallOptions {
  /** "status", "scale", "binding", … */
  readonly subresource?: string
  readonly fieldManager?: string
  readonly dryRun?: boolean
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict'
}

/** RFC 6902, RFC 7386, Kubernetes' strategic merge, or server-side apply. */
export type Patch =
  | { readonly type: 'json'; readonly body: readonly unknown[] }
  | { readonly type: 'merge'; readonly body: unknown }
  | { readonly type: 'strategic'; readonly body: unknown }
  | { readonly type: 'apply'; readonly body: unknown; readonly force?: boolean }

export interface RawRequest extends CallOptions {
  readonly method: string
  /** From the root, without query: "/api/v1/pods". */
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

export interface RawResponse {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** Read it to the end or dispose it; dropping it otherwise leaks the stream. */
  readonly body: AsyncIterable<Uint8Array> & AsyncDisposable
}

export interface WebSocketRequest extends CallOptions {
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>
  /** In order of preference: ["v5.channel.k8s.io", "v4.channel.k8s.io"]. */
  readonly protocols: readonly string[]
}

/** Messages of a Kubernetes channel protocol: the first byte is the channel, the rest its data. */
export interface ChannelSocket extends AsyncDisposable {
  readonly protocol: string
  /** Ends when the peer closes; throws on a broken connection. One consumer. */
  readonly messages: AsyncIterable<Uint8Array>
  /** Resolves when the bytes are handed on, so that a fast writer waits. */
  send(message: Uint8Array): Promise<void>
}
