/** The cluster's CAs, which the node's certificate for the API must be of. */
import type { ConfigMap } from '../../src/generated/types/core.v1.ts';
import { Informer } from '../informer.ts';
import type { AgentContext, Running } from '../types.ts';

/** What pods trust the API by; it is the same in every namespace. */
const PUBLISHED = { namespace: 'kube-system', fieldSelector: 'metadata.name=kube-root-ca.crt' } as const;

/** Follows the CAs: where they, or the one that signs, are others than the node's credential knows, it is renewed at once. */
export function followAuthorities({ client, credentials, log }: AgentContext): Running {
  // Not shared with pods: it is to last as long as the agent.
  const informer = new Informer<ConfigMap>(client, 'core/configmaps', PUBLISHED, log);
  informer.subscribe(({ type, object }) => {
    const bundle = object.data?.['ca.crt'];
    if (type === 'DELETED' || bundle === undefined || bundle === credentials.credential().ca) return;
    log.info('the CAs of the cluster are others');
    credentials.renew();
  });
  const done = informer.run();
  return {
    async stop() {
      informer.stop();
      await done;
    },
  };
}
