/** What the parts of the API server know of each other. */
import type { Duplex } from 'node:stream'
import type { AnyKind } from '../api/kind.ts'
import type { KubeObject } from '../api/meta/v1/object.ts'
import type { ChannelSocket } from '../client/client.ts'
import type { StatusError } from '../machinery/status.ts'
import type { RequestInfo } from './request-info.ts'

export interface UserInfo {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** The credentials that came with a request. */
export interface Credentials {
  /** The client certificate in DER form, already verified against the client CA by TLS; absent if there was none. */
  readonly certificate?: Uint8Array
  /** From `Authorization: Bearer` or the WebSocket subprotocol `base64url.bearer.authorization.k8s.io.…`. */
  readonly bearerToken?: string
  /** Of the request, where who shows nothing may come to some paths only. */
  readonly path?: string
}

/**
 * Says who it is; null if these credentials are not this authenticator's. Throws StatusError `Unauthorized` if they are but do not
 * hold (expired, revoked, wrong signature).
 */
export type Authenticator = (credentials: Credentials) => Promise<UserInfo | null>

/** What a request wants, in the terms of RBAC (authorization.k8s.io ResourceAttributes and NonResourceAttributes). */
export interface Attributes {
  readonly user: UserInfo
  /** get, list, watch, create, update, patch, delete, deletecollection; for non-resource paths the HTTP method in lower case. */
  readonly verb: string
  readonly resource?: {
    readonly group: string
    readonly version: string
    readonly resource: string
    readonly subresource: string
    readonly namespace: string
    /** Also of a list, watch or deletecollection whose field selector is metadata.name=NAME, as upstream. */
    readonly name: string
    /** Of a list, watch or deletecollection, as it stood in the query. */
    readonly fieldSelector?: string
    readonly labelSelector?: string
  }
  /** For requests that are not for a resource. */
  readonly path: string
}

export interface Decision {
  readonly allowed: boolean
  /** Nobody else is to be asked. */
  readonly denied?: boolean
  /** Why, for the message of a refusal and for `SubjectAccessReview`. */
  readonly reason: string
  /** What went wrong with deciding. */
  readonly error?: string
}

export type Authorizer = (attributes: Attributes) => Promise<Decision>

/** Opens a plain byte stream to a port on the loopback of the machine that is this node; rejects with a Status 503 if it has no link. */
export interface NodeDialer {
  dial(node: string, port: number, signal?: AbortSignal): Promise<Duplex>
}

/** What is authenticated, authorized and routed: one HTTP request, whether it came over a socket or in-process. */
export interface ApiRequest {
  readonly method: string
  /** Decoded path, "/api/v1/namespaces/default/pods". */
  readonly path: string
  readonly query: URLSearchParams
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Reads the whole body; rejects with Status 413 above `limit` bytes. */
  body(limit: number): Promise<Buffer>
  readonly user: UserInfo
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
  /** Of a request that came over the network. */
  readonly origin?: Origin
}

/** What a socket says of a request. */
export interface Origin {
  /** The client's `Audit-Id`, or one made here; the answer bears it. */
  readonly auditId: string
  /** As in the request line: "/api/v1/pods?limit=1". */
  readonly target: string
  /** The IP address of who is connected; "" if it is gone. */
  readonly address: string
}

export interface ApiResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** Bytes at once, or a stream (watch, log). */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
}

/** Answers a request that is neither for a stored object nor for a node: OpenAPI, OIDC discovery. Authorized by the caller. */
export type RequestHandler = (request: ApiRequest) => Promise<ApiResponse>

/**
 * `create` on what is answered and not stored, keyed by "resource.group" or "resource/subresource": reviews, serviceaccounts/token.
 * Gets the decoded object, returns what is sent back (201). Throws StatusError.
 */
export interface Responder {
  (
    object: KubeObject,
    context: {
      readonly user: UserInfo
      readonly namespace: string
      readonly name: string
      readonly signal: AbortSignal
      /** Nothing may come of it. */
      readonly dryRun?: boolean
    },
  ): Promise<KubeObject>
  /** What is sent, where it is not the kind of the path: serviceaccounts/token takes a TokenRequest. */
  readonly kind?: AnyKind
}

/** Works out objects of a kind that is `answered`, keyed by "resource.group". Throws StatusError. */
export interface Reader {
  get(at: { readonly namespace: string; readonly name: string }): Promise<KubeObject>
  /** `namespace` is "" for all; the selectors are as the client wrote them, "" for none. */
  list(wanted: { readonly namespace: string; readonly labelSelector: string }): Promise<readonly KubeObject[]>
}

/** Which object a connecting subresource was asked for, and what follows it in the path: "/stats/summary", or "". */
export interface ConnectTarget {
  readonly namespace: string
  readonly name: string
  readonly tail: string
}

/** A subresource that is served by a node's agent, keyed by "pods/log", "pods/exec", …. The caller has authorized the request. */
export interface Connector {
  /** A plain request; Status 400 where only an upgrade is understood. */
  answer(request: ApiRequest, target: ConnectTarget): Promise<ApiResponse>
  /**
   * A request with `Connection: Upgrade` on an HTTP/1.1 socket to which nothing was written yet; `head` are bytes already read past
   * the request. Takes the socket over: relays, or writes a refusal as an HTTP response with a Status. Resolves when it is over.
   */
  upgrade(request: ApiRequest, target: ConnectTarget, socket: Duplex, head: Uint8Array): Promise<void>
  /** The same for the in-process client's `websocket`. Throws StatusError if refused. */
  open(request: ApiRequest, target: ConnectTarget, protocols: readonly string[]): Promise<ChannelSocket>
  /** A plain stream to the port that the target names, for the server's own calls; absent where there is no such port. */
  dial?(target: ConnectTarget, signal: AbortSignal): Promise<Duplex>
}

/** One write as an admission check sees it, after decoding, defaulting and patching. `object` is null for DELETE, `old` for CREATE. */
export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  readonly kind: AnyKind
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly object: KubeObject | null
  readonly old: KubeObject | null
  readonly user: UserInfo
  readonly signal: AbortSignal
  /** Of `object`, where it is not of `kind`: a subresource's own. */
  readonly sent?: AnyKind
  /** Nothing may come of it. */
  readonly dryRun?: boolean
  /** CreateOptions, UpdateOptions, PatchOptions or DeleteOptions, as the request gave them. */
  readonly options?: Readonly<Record<string, unknown>>
  /** Adds a Warning header. */
  warn?(text: string): void
  /** Notes something about the decision, for an audit log; the first value of a key counts. */
  annotate?(key: string, value: string): void
}

/** Notes what is done with requests; which, and how much of them, is its own to know. */
export interface Auditor {
  /** Null: nothing is noted of this request. */
  begin(request: ApiRequest, info: RequestInfo): AuditTrail | null
  /** Of whom the credentials did not hold. */
  unauthenticated(request: UnauthenticatedRequest): void
}

export interface UnauthenticatedRequest extends Pick<ApiRequest, 'method' | 'headers'> {
  readonly target: string
  readonly origin: Origin
}

/** What is noted of one request. Ends with one of `ended`, `answered` and `panicked`; what comes after is ignored. */
export interface AuditTrail {
  /** The user as whom the request is done, where it is another. */
  acting(user: UserInfo): void
  /** The first value of a key counts. */
  annotate(key: string, value: string): void
  /** What was sent: the decoded object, before anybody changes it, or the bytes of a patch. */
  received(sent: KubeObject | Uint8Array): void
  /** The answer to a request without an end of its own begins. */
  started(code: number): void
  ended(response: Pick<ApiResponse, 'status' | 'headers' | 'body'>): void
  /** The same for an answer that was never encoded: the object, or the Status of a failure. */
  answered(code: number, object: object | null): void
  panicked(error: unknown): void
}

/** Says which requests are served now, which later, and which not. */
export interface FlowGate {
  /** At once, if there is room; otherwise when it is the request's turn. Never rejects. */
  enter(request: ApiRequest, info: RequestInfo): Ticket | Promise<Ticket>
}

export interface Ticket {
  /** For the answer: who decided. */
  readonly headers: Readonly<Record<string, string>>
  /** Why it is not served: a Status 429. */
  readonly refusal: StatusError | null
  /** The request no longer takes room; to be called once. */
  release(): void
}

/** Refuses by throwing StatusError; changes nothing. */
export type AdmissionCheck = (request: AdmissionRequest) => Promise<void>
