/** `kube-system/extension-apiserver-authentication`: what extension API servers are told of the API server. */

/** Where it is. */
export const CLUSTER_AUTHENTICATION = { name: 'extension-apiserver-authentication', namespace: 'kube-system' } as const;

/** Whom extension API servers believe what it says of users: the name in a certificate of the cluster's CA. */
export const FRONT_PROXY_NAME = 'front-proxy-client';

/** What it holds. `bundle`: the cluster's CAs, PEM. */
export const clusterAuthentication = (bundle: string): Record<string, string> => ({
  'client-ca-file': bundle,
  'requestheader-allowed-names': JSON.stringify([FRONT_PROXY_NAME]),
  'requestheader-client-ca-file': bundle,
  'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
  'requestheader-group-headers': '["X-Remote-Group"]',
  'requestheader-uid-headers': '["X-Remote-Uid"]',
  'requestheader-username-headers': '["X-Remote-User"]',
});
