/** The group-versions that APIServices hand to Services inside the cluster, as the cluster's snapshot knows them. */
import type { RemoteServiceFact } from '../../durable-objects/cluster-rpc.ts';
import type { APIService } from '../../generated/types/apiregistration.v1.ts';

/** What a snapshot says of an APIService; undefined where it names no Service: such a group-version is served here. */
export function remoteServiceFact({ spec, status }: APIService): RemoteServiceFact | undefined {
  const { group = '', version = '', service } = spec ?? {};
  // The core group has a path of its own, and is never handed to anybody.
  if (service === undefined || group === '') return undefined;
  const { namespace = '', name = '', port = 443 } = service;
  return {
    group,
    version,
    service: { namespace, name, port },
    caBundle: spec?.caBundle ?? '',
    insecure: spec?.insecureSkipTLSVerify === true,
    groupPriority: spec?.groupPriorityMinimum ?? 0,
    versionPriority: spec?.versionPriority ?? 0,
    available: status?.conditions?.some(({ type, status: value }) => type === 'Available' && value === 'True') ?? false,
  };
}

/** An index over them. */
export class RemoteServices {
  readonly all: readonly RemoteServiceFact[];
  private readonly byVersion: ReadonlyMap<string, RemoteServiceFact>;

  constructor(all: readonly RemoteServiceFact[]) {
    this.all = all;
    this.byVersion = new Map(all.map((one) => [`${one.group}/${one.version}`, one]));
  }

  /** Who answers requests for the group-version; undefined: this server itself. */
  find(group: string, version: string): RemoteServiceFact | undefined {
    return this.byVersion.get(`${group}/${version}`);
  }

  /** Whether some version of the group is served so. */
  hasGroup(name: string): boolean {
    return this.all.some(({ group }) => group === name);
  }

  /** Who answers `/apis/<group>/<version>` and what lies below. Costs nothing where there is no such APIService. */
  ofPath(path: string): RemoteServiceFact | undefined {
    if (this.all.length === 0) return undefined;
    const [, root, group = '', version = ''] = path.split('/');
    return root === 'apis' ? this.find(group, version) : undefined;
  }
}
