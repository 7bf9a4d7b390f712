/** Every controller there is: one line each. */
import { certificateApprovingController } from './certificates/approver.ts'
import { certificateCleanerController } from './certificates/cleaner.ts'
import { certificateSigningController } from './certificates/signer.ts'
import { daemonSetController } from './daemon-set/daemon-set.ts'
import { deploymentController } from './deployment/deployment.ts'
import { replicaSetController } from './replica-set/replica-set.ts'
import { replicationController } from './replica-set/replication-controller.ts'
import type { ControllerDescriptor } from './runtime/controller.ts'

export const CONTROLLERS: readonly ControllerDescriptor[] = [
  certificateApprovingController,
  certificateCleanerController,
  certificateSigningController,
  daemonSetController,
  deploymentController,
  replicaSetController,
  replicationController,
]
