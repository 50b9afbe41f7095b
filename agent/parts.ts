/** The parts of the agent beside the kubelet, in the order in which they start. */
import type { AgentContext, KubeletHandle, Running } from './types.ts';

/** Starts one part; it may go on starting in the background, and must not fail for what time heals. */
export type StartPart = (context: AgentContext, kubelet: KubeletHandle) => Promise<Running> | Running;

export const PARTS: readonly StartPart[] = [];
