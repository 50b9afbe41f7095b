/** Requests for certificates: those of kubelets are approved, approved ones are signed, and old ones are forgotten. */
import { toBase64 } from '../../apimachinery/codec/base64.ts';
import { isReason } from '../../apimachinery/errors.ts';
import { now as timestamp } from '../../apimachinery/meta.ts';
import type {
  CertificateSigningRequestCondition as Condition,
  CertificateSigningRequest as Request,
} from '../../generated/types/certificates.v1.ts';
import { type Controller, itself } from '../controller.ts';

const REQUESTS = 'certificates.k8s.io/certificatesigningrequests';
const HOUR = 3_600_000;
/** Who waits for a decision waits a day, what was decided or signed is there to be fetched for an hour. */
const PENDING_MS = 24 * HOUR;
const DECIDED_MS = HOUR;
/** A role that lets a node's request through may come later. */
const ASK_AGAIN_MS = 60_000;

const watches = [{ resource: REQUESTS, keys: itself }];

const condition = ({ status }: Request, type: string): Condition | undefined =>
  status?.conditions?.find((one) => one.type === type && one.status === 'True');

const isOpen = (request: Request): boolean =>
  condition(request, 'Approved') === undefined && condition(request, 'Denied') === undefined;

const withCondition = (request: Request, added: Condition): Request => ({
  ...request,
  status: { ...request.status, conditions: [...(request.status?.conditions ?? []), { ...added, status: 'True' }] },
});

/** Upstream's `csrapproving`: a kubelet's first certificate, and its renewals. */
export const certificateApprover: Controller = {
  name: 'certificatesigningrequest-approving-controller',
  watches,
  async reconcile(client, { name }, { certificates }) {
    const request = await client.get<Request>(REQUESTS, '', name);
    if (request?.spec === undefined || !isOpen(request) || request.status?.certificate) return;
    if (request.spec.signerName !== 'kubernetes.io/kube-apiserver-client-kubelet') return;
    const message = await certificates.approval(request.spec);
    if (message === undefined) return { requeueAfterMs: ASK_AGAIN_MS };
    const approved = withCondition(request, { type: 'Approved', reason: 'AutoApproved', message });
    await client.update(REQUESTS, approved, 'approval');
    return;
  },
};

/** Upstream's `csrsigning`, for all four built-in signers. */
export const certificateSigner: Controller = {
  name: 'certificatesigningrequest-signing-controller',
  watches,
  async reconcile(client, { name }, { certificates, now }) {
    const request = await client.get<Request>(REQUESTS, '', name);
    if (request?.spec === undefined || request.status?.certificate) return;
    const refused = condition(request, 'Denied') ?? condition(request, 'Failed');
    if (condition(request, 'Approved') === undefined || refused !== undefined) return;
    const signed = await certificates.sign(request.spec);
    if (signed === undefined) return;
    if ('problem' in signed) {
      const lastUpdateTime = timestamp(now());
      const failed = { type: 'Failed', reason: 'SignerValidationFailure', message: signed.problem, lastUpdateTime };
      await client.update(REQUESTS, withCondition(request, failed), 'status');
      return;
    }
    const certificate = toBase64(new TextEncoder().encode(signed.certificate));
    await client.update(REQUESTS, { ...request, status: { ...request.status, certificate } }, 'status');
    return;
  },
};

/** Upstream's `csrcleaner`. */
export const certificateCleaner: Controller = {
  name: 'certificatesigningrequest-cleaner-controller',
  watches,
  async reconcile(client, { name }, { now }) {
    const request = await client.get<Request>(REQUESTS, '', name);
    if (request === undefined) return;
    const left = deadline(request) - now();
    if (left > 0) return { requeueAfterMs: left };
    const { uid } = request.metadata;
    try {
      await client.delete(REQUESTS, '', name, uid === undefined ? {} : { preconditions: { uid } });
    } catch (error) {
      if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
    }
    return;
  },
};

/** When a request has been there for long enough, in ms since the epoch. */
function deadline(request: Request): number {
  const said = ['Failed', 'Denied', 'Approved'].flatMap((type) => condition(request, type)?.lastUpdateTime ?? []);
  const [decided] = said;
  if (decided !== undefined) return Date.parse(decided) + DECIDED_MS;
  return Date.parse(request.metadata.creationTimestamp ?? '') + PENDING_MS;
}
