/** Every controller there is: one line each. */
import { attachDetachController } from './attach-detach/attach-detach.ts'
import { bootstrapSignerController } from './bootstrap-signer/bootstrap-signer.ts'
import { certificateApprovingController } from './certificates/approver.ts'
import { certificateCleanerController } from './certificates/cleaner.ts'
import { certificateSigningController } from './certificates/signer.ts'
import { cronJobController } from './cron-job/cron-job.ts'
import { daemonSetController } from './daemon-set/daemon-set.ts'
import { deploymentController } from './deployment/deployment.ts'
import { deviceTaintEvictionController } from './device-taint-eviction/device-taint-eviction.ts'
import { disruptionController, staleDisruptionController } from './disruption/disruption.ts'
import { endpointSliceMirroringController } from './endpoint-slice-mirroring/endpoint-slice-mirroring.ts'
import { endpointSliceController } from './endpoint-slice/endpoint-slice.ts'
import { endpointsController } from './endpoints/endpoints.ts'
import { ephemeralVolumeController } from './ephemeral-volume/ephemeral-volume.ts'
import { garbageCollectorController } from './garbage-collector/garbage-collector.ts'
import { horizontalPodAutoscalerController } from './horizontal-pod-autoscaler/horizontal-pod-autoscaler.ts'
import { jobController } from './job/job.ts'
import { legacyTokenCleanerController } from './legacy-token-cleaner/legacy-token-cleaner.ts'
import { localVolumeController } from './local-volumes/local-volumes.ts'
import { namespaceController } from './namespace/namespace.ts'
import { nodeIpamController } from './node-ipam/node-ipam.ts'
import { nodeLifecycleController } from './node-lifecycle/node-lifecycle.ts'
import { nodeRouteController } from './node-route/node-route.ts'
import { persistentVolumeBinder } from './persistent-volume-binder/binder.ts'
import { podGcController } from './pod-gc/pod-gc.ts'
import { replicaSetController } from './replica-set/replica-set.ts'
import { replicationController } from './replica-set/replication-controller.ts'
import { resourceClaimController } from './resource-claim/resource-claim.ts'
import { resourceQuotaController } from './resource-quota/resource-quota.ts'
import { roleAggregationController } from './role-aggregation/role-aggregation.ts'
import { rootCaController } from './root-ca/root-ca.ts'
import type { ControllerDescriptor } from './runtime/controller.ts'
import { serviceAccountTokenController } from './service-account-token/service-account-token.ts'
import { serviceAccountController } from './service-account/service-account.ts'
import { serviceCidrController } from './service-cidr/service-cidr.ts'
import { serviceLoadBalancerController } from './service/service-load-balancer.ts'
import { statefulSetController } from './stateful-set/stateful-set.ts'
import { taintEvictionController } from './taint-eviction/taint-eviction.ts'
import { tokenCleanerController } from './token-cleaner/token-cleaner.ts'
import { ttlAfterFinishedController } from './ttl-after-finished/ttl-after-finished.ts'
import { volumeExpandController } from './volume-expand/volume-expand.ts'
import { attributesClassProtectionController } from './volume-protection/attributes-class-protection.ts'
import { claimProtectionController } from './volume-protection/claim-protection.ts'
import { volumeProtectionController } from './volume-protection/volume-protection.ts'

export const CONTROLLERS: readonly ControllerDescriptor[] = [
  attachDetachController,
  bootstrapSignerController,
  certificateApprovingController,
  certificateCleanerController,
  certificateSigningController,
  cronJobController,
  daemonSetController,
  deploymentController,
  deviceTaintEvictionController,
  disruptionController,
  staleDisruptionController,
  endpointSliceController,
  endpointSliceMirroringController,
  endpointsController,
  ephemeralVolumeController,
  garbageCollectorController,
  horizontalPodAutoscalerController,
  jobController,
  legacyTokenCleanerController,
  localVolumeController,
  namespaceController,
  nodeIpamController,
  nodeLifecycleController,
  nodeRouteController,
  persistentVolumeBinder,
  podGcController,
  replicaSetController,
  replicationController,
  resourceClaimController,
  resourceQuotaController,
  roleAggregationController,
  rootCaController,
  serviceAccountController,
  serviceAccountTokenController,
  serviceCidrController,
  serviceLoadBalancerController,
  statefulSetController,
  taintEvictionController,
  tokenCleanerController,
  ttlAfterFinishedController,
  volumeExpandController,
  attributesClassProtectionController,
  claimProtectionController,
  volumeProtectionController,
]
