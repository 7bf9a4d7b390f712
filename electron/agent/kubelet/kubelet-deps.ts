import type { Clock } from '../../base/clock.ts'
import type { Emitter } from '../../base/events.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { AgentConfig } from '../../api/infra/v1alpha1/agent-config.ts'
import type { Client } from '../../client/client.ts'
import type { Informers } from '../../client/informer.ts'
import type { CgroupTree } from '../cgroups/hierarchy.ts'
import type { Checkpoints } from '../checkpoint/checkpoints.ts'
import type { RuntimeEvents } from '../runtime/containerd-events.ts'
import type { Cri } from '../runtime/cri.ts'
import type { ImageViews } from '../runtime/image-view.ts'
import type { UsageSampler } from '../stats/usage-sampler.ts'
import type { EventSink } from './events.ts'
import type { LogRotationOptions } from './gc/log-rotation.ts'
import type { Mounts } from './volumes/mounts.ts'

/** What a kubelet is made of; everything that reaches outside comes in here. */
export interface KubeletDeps {
  readonly config: AgentConfig
  /** "v1.36.4+flotilla.0.1.0" */
  readonly version: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly client: Client
  readonly informers: Informers
  /** The control plane has connected anew. */
  readonly reconnected: Emitter<void>
  readonly events: EventSink
  readonly checkpoints: Checkpoints
  readonly cri: Cri
  readonly runtimeEvents: RuntimeEvents
  readonly images: ImageViews
  readonly mounts: Mounts
  readonly cgroups: CgroupTree
  readonly sampler: UsageSampler
  /** Absent: the usual one. */
  readonly logRotation?: LogRotationOptions
}
