/** The 5xx answers that Kubernetes gives for the same requests, each with where it does so. */
interface Fault {
  readonly code: number
  readonly message: RegExp
}

const FAULTS: readonly Fault[] = [
  // registry/generic/registry/store.go, through storage.Interface Create.
  { code: 500, message: /resourceVersion should not be set on objects to be created/ },
  // managedfields/internal/structuredmerge.go: an apply to an object whose lists of maps lack their keys.
  { code: 500, message: /failed to create typed live object/ },
  // webhook/errors/statuserror.go: a webhook that cannot be reached, where its failure policy is Fail.
  { code: 500, message: /failed calling webhook/ },
  // kubelet connections: registry/core/node/rest and the proxies, for nodes that are not there or do not answer.
  { code: 503, message: /there is no connection to the node|no endpoints available for|gave no answer|no ready/i },
  // endpoints/handlers/timeout.go (`timeout` of the query).
  { code: 504, message: /request did not complete within (the allotted timeout|requested timeout)|Too large resource version/i },
  // kube-aggregator: the server behind an APIService.
  { code: 503, message: /service unavailable|error trying to reach service/i },
]

/** `body`: null where the method allows none, so that the code alone must do. */
export function isKnownFault(code: number, body: string | null): boolean {
  return FAULTS.some((fault) => fault.code === code && (body === null || fault.message.test(body)))
}
