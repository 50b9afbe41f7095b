/** Where the agent keeps what, below its data folder. */
import { join } from 'node:path';

export interface Paths {
  /** Configuration, state and socket of the agent's own containerd. */
  containerd: string;
  /** Where containerd looks for CNI configuration lists. */
  cniConf: string;
  /** host-local's and other CNI plugins' state. */
  cniState: string;
  /** `<uid>/volumes/…`, `<uid>/etc-hosts`, `<uid>/containers/<name>/…`. */
  pods: string;
  /** `<namespace>_<name>_<uid>/<container>/<restartCount>.log`. */
  podLogs: string;
  /** What the server answered to the join: the node's credential and what it should know of the cluster. */
  credential: string;
}

/** The folders and files of an agent whose data folder is `dataDir`. */
export function paths(dataDir: string): Paths {
  return {
    containerd: join(dataDir, 'containerd'),
    cniConf: join(dataDir, 'cni', 'net.d'),
    cniState: join(dataDir, 'cni', 'state'),
    pods: join(dataDir, 'pods'),
    podLogs: join(dataDir, 'pods-logs'),
    credential: join(dataDir, 'credential.json'),
  };
}
