/** What the parts of the API server know of each other. */
import type { Duplex } from 'node:stream'

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
    readonly name: string
  }
  /** For requests that are not for a resource. */
  readonly path: string
}

export interface Decision {
  readonly allowed: boolean
  /** Why, for the message of a refusal and for `SubjectAccessReview`. */
  readonly reason: string
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
}

export interface ApiResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** Bytes at once, or a stream (watch, log). */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
}
