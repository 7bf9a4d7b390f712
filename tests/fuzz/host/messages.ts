/** What the process with the plane and the run say to each other. */
export type ToHost = { readonly type: 'measure' } | { readonly type: 'stop' }

export interface Ready {
  readonly type: 'ready'
  readonly port: number
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** After a full garbage collection and a compaction of the store. */
export interface Measured {
  readonly type: 'measured'
  /** In bytes. */
  readonly rss: number
  readonly heapUsed: number
  readonly external: number
  /** Connections of any kind that are open. */
  readonly sockets: number
  /** Requests that have no answer yet, watches included. */
  readonly watchers: number
}

/** Something that must never happen. */
export interface Fault {
  readonly type: 'fault'
  readonly rule: 'unhandled-rejection' | 'crash' | 'loop-held' | 'logged-bug'
  readonly message: string
}

export type FromHost = Ready | Measured | Fault
