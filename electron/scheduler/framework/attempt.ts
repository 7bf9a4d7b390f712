import type { PodInfo } from '../snapshot/pod-info.ts'
import type { SnapshotView } from '../snapshot/snapshot.ts'
import { CycleState } from './cycle-state.ts'
import type { NodeAnswers, PerNode } from './node-answers.ts'
import type { Cycle, FilterPlugin, PreFilterPlugin, ScorePlugin } from './plugin.ts'
import type { Result } from './status.ts'

/** One attempt to place one pod: its state, and which plugins have something to say about the pod. */
export class Attempt implements Cycle {
  readonly snapshot: SnapshotView
  readonly state: CycleState
  /** Those that PreFilter and PreScore did not skip. */
  filters: readonly FilterPlugin[]
  /** Those that keep track of pods that are added and removed in thought. */
  trackers: readonly PreFilterPlugin[]
  scorers: readonly WeightedScorer[]
  /** What is remembered of nodes for pods that ask for the same; null: nothing is. */
  answers: NodeAnswers | null
  /** Of the filters the first ones, which look at a node alone, with what they said; and the rest. */
  verdicts: PerNode<Result> | null
  /** What they said with these pods on the node, which it was promised to. */
  crowded: PerNode<{ readonly promised: readonly PodInfo[]; readonly verdict: Result }> | null
  alone: readonly FilterPlugin[]
  others: readonly FilterPlugin[]

  constructor(snapshot: SnapshotView, state = new CycleState()) {
    this.snapshot = snapshot
    this.state = state
    this.filters = []
    this.trackers = []
    this.scorers = []
    this.answers = null
    this.verdicts = null
    this.crowded = null
    this.alone = []
    this.others = []
  }

  /** To think on from here without this one changing. */
  fork(): Attempt {
    const fork = new Attempt(this.snapshot, this.state.clone())
    fork.filters = this.filters
    fork.trackers = this.trackers
    fork.scorers = this.scorers
    fork.answers = this.answers
    fork.verdicts = this.verdicts
    fork.crowded = this.crowded
    fork.alone = this.alone
    fork.others = this.others
    return fork
  }
}

export interface WeightedScorer {
  readonly plugin: ScorePlugin
  readonly weight: number
}
