/** What a pod is doing, as the lists' index sees it too. */
export { containerView, isOver, podRequests, podView, type PodView } from '../../../electron/contracts/lists/pod-status.ts'
