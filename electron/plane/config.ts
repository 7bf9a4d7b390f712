import type { AccessConfig } from './access-config.ts'
import type { AuditConfig } from './audit.ts'

/** What a control plane is made from. Plain data: it crosses to the worker thread as it is. */
export interface PlaneConfig {
  /** Absolute path of the state folder; made with mode 0700. */
  readonly stateDir: string
  /** The cluster's name in kubeconfig and UI; kept from the first start on. */
  readonly name?: string
  /** Port of the API server on 127.0.0.1; absent: the one of last time, else a free one. */
  readonly port?: number
  /** The etcd cluster that holds the cluster's objects; absent: the state folder does. */
  readonly etcd?: EtcdConfig
  /** The largest size of the store in the state folder; 0: none. Absent: the store's default. */
  readonly quotaBytes?: number
  /** How much room past states of that store may take; 0: none are kept. Absent: the store's default. */
  readonly historyBytes?: number
  /** Port on 127.0.0.1 at which the store is served to etcd's clients; 0 takes a free one. Absent: not served. */
  readonly serveEtcdPort?: number
  /** Who else decides who someone is and what they may do; absent: only what the state folder says. */
  readonly access?: AccessConfig
  /** AdmissionConfiguration, an absolute path; absent: `admission.yaml` in the state folder, if there is one. */
  readonly admissionFile?: string
  /** What is noted of requests, and where; absent: what the state folder says. */
  readonly audit?: AuditConfig
  /** How many reads and writes the API server works on at once; both 0: no limit. Absent: as kube-apiserver. */
  readonly maxRequestsInflight?: number
  readonly maxMutatingRequestsInflight?: number
  /** The program's version, shown to people. */
  readonly version: string
  /** `electron` or `browser`: which face the UI is served by. */
  readonly face: 'electron' | 'browser'
  /** Where the store's writer thread is: a file URL. */
  readonly storeWorkerUrl: string
  /** Folder with the bundled agent (`agent.mjs`) and, for each architecture, its Node: see `provision`. */
  readonly agentDir: string
  /** Folders that hold `node-linux-<arch>/bin/node`. */
  readonly runtimeDirs: readonly string[]
  /** Folder with the units and scripts that go onto machines. */
  readonly unitsDir: string
  /** The built UI. */
  readonly rendererDir: string
  /** Kubernetes' prose for `kubectl explain`, if it was built. */
  readonly descriptionsFile?: string
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}

export interface EtcdConfig {
  /** Client URLs of its members. */
  readonly endpoints: readonly string[]
  /** PEM files. */
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
}

export const CLUSTER_DOMAIN = 'cluster.local'
export const SERVICE_CIDR = '10.96.0.0/16'
export const CLUSTER_CIDR = '10.244.0.0/16'
/** Address of `default/kubernetes`. */
export const API_VIP = '10.96.0.1'
/** Address of `kube-system/kube-dns`. */
export const DNS_VIP = '10.96.0.10'

/** What the host of a plane needs to know of it once it is ready. */
export interface PlaneInfo {
  readonly name: string
  /** https://127.0.0.1:PORT */
  readonly server: string
  /** Absolute path of the administrator's kubeconfig in the state folder. */
  readonly kubeconfig: string
  readonly stateDir: string
  /** Where and how etcd's clients reach the store, if it is served to them. */
  readonly etcd?: ServedEtcd
}

export interface ServedEtcd {
  /** https://127.0.0.1:PORT */
  readonly url: string
  /** Absolute paths of PEM files: the server's CA, and a client's certificate and key. */
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
}
