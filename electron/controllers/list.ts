/** Every controller there is: one line each. */
import { deploymentController } from './deployment/deployment.ts'
import { replicaSetController } from './replica-set/replica-set.ts'
import { replicationController } from './replica-set/replication-controller.ts'
import type { ControllerDescriptor } from './runtime/controller.ts'

export const CONTROLLERS: readonly ControllerDescriptor[] = [deploymentController, replicaSetController, replicationController]
